import { truncateText, isWithin, type ChangeReason } from '@hopper/contracts'
import type { TSchema } from 'typebox'
import { hashedId } from './repair-text.ts'

/** Records a change of a value. */
export type RecordChange = (reason: ChangeReason) => void

/** Properties of a field's schema that repairs use. */
type FieldSchema = TSchema & {
  readonly type?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

const number = /^\s*[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})(e[+-]?\d{1,3})?\s*$/i
/** Identifiers: they must not lose any character. */
const ids: ReadonlySet<string> = new Set(['event_id', 'device_id', 'session_id', 'user_id', 'funnel'])
/** URLs that may be unknown; an unknown one is stored as an empty string. */
const urls: ReadonlySet<string> = new Set(['from', 'to', 'current_url'])

/** Converts a value to one that the field accepts, and records how; returns undefined when that is impossible. */
export function repairValue(name: string, value: unknown, schema: FieldSchema, record: RecordChange): unknown {
  if (name === 'elapsed_time') return repairInteger(value, schema, record) ?? 0
  if (value === null) {
    record('null_value')
    return schema.type === 'string' && urls.has(name) ? '' : undefined
  }
  if (schema.type === 'string') return repairString(value, schema, ids.has(name), record)
  if (schema.type === 'integer') return repairInteger(value, schema, record)
  if (isOneOf(value, schema)) return value
  record('wrong_type')
  return undefined
}

function repairString(
  value: unknown,
  { minLength = 0, maxLength = Infinity }: FieldSchema,
  isId: boolean,
  record: RecordChange,
): string | undefined {
  const text = textOf(value, isId, record)
  if (text === undefined) return undefined
  if (text.length < minLength) return void record('empty')
  if (isId && !(text.isWellFormed() && isWithin(text, maxLength))) {
    record('hashed')
    return hashedId(text)
  }
  return repairText(text, maxLength, record)
}

/** Shortens a string, and replaces lone surrogates by U+FFFD. */
export function repairText(text: string, charsMax: number, record: RecordChange): string {
  if (!text.isWellFormed()) record('not_unicode')
  const whole = text.toWellFormed()
  if (isWithin(whole, charsMax)) return whole
  record('shortened')
  return truncateText(whole, charsMax)
}

function textOf(value: unknown, isId: boolean, record: RecordChange): string | undefined {
  if (typeof value === 'string') return value
  if ((typeof value === 'number' && Number.isFinite(value)) || (typeof value === 'boolean' && !isId)) {
    record('made_text')
    return String(value)
  }
  return void record('wrong_type')
}

function repairInteger(
  value: unknown,
  { minimum = -Infinity, maximum = Infinity }: FieldSchema,
  record: RecordChange,
): number | undefined {
  if (value === null) return void record('null_value')
  if (typeof value === 'string' && number.test(value)) record('made_number')
  else if (typeof value !== 'number') return void record('wrong_type')
  const read = Number(value)
  const whole = Math.round(read)
  if (!(whole >= minimum && whole <= maximum)) return void record('out_of_range')
  if (whole !== read) record('rounded')
  return whole
}

function isOneOf(value: unknown, schema: FieldSchema): boolean {
  const { anyOf } = schema as { anyOf?: readonly { const?: unknown }[] }
  return anyOf?.some((each) => each.const === value) ?? false
}
