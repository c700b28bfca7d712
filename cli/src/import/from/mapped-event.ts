import { withExactNumbers } from '@hopper/contracts'
import type { OfflineEvent, Supplement } from '@hopper/ingest'
import { msOf, visitorFields, type Mapping, type TimestampUnit } from './mapping.ts'

const numeric = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const decimal = /^\s*-?\d{1,20}(\.\d{1,20})?\s*$/
/** more digits than a number keeps: the text is left as it is */
const DIGITS_MAX = 15
const integerFields: ReadonlySet<string> = new Set(['seq', 'elapsed_time', 'samplerate', 'entered'])

/** Makes an event of a row by a mapping, with what the row tells of its visitor. */
export function mappedRow(row: Readonly<Record<string, unknown>>, mapping: Mapping, isText: boolean): OfflineEvent {
  return { event: mappedEvent(row, mapping, isText), supplement: supplementOf(row, mapping) }
}

function supplementOf(row: Readonly<Record<string, unknown>>, { fields }: Mapping): Supplement | undefined {
  const textOf = (name: (typeof visitorFields)[number]): string | undefined => {
    const column = fields[name]
    const value = column === undefined ? undefined : valueAt(row, column)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const [userAgent, address] = [textOf('user_agent'), textOf('ip')]
  if (userAgent === undefined && address === undefined) return undefined
  return { ...(userAgent !== undefined && { userAgent }), ...(address !== undefined && { address }) }
}

function isOfVisitor(name: string): boolean {
  return visitorFields.some((field) => field === name)
}

/**
 * Builds an event from a row by a mapping. With `isText` its values are texts, as in CSV, in which numbers and truth
 * values are recognized where they are meant: in `data`, and in fields that are numbers.
 */
export function mappedEvent(
  row: Readonly<Record<string, unknown>>,
  mapping: Mapping,
  isText: boolean,
): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  for (const name in mapping.fields) {
    if (isOfVisitor(name)) continue
    const value = valueAt(row, mapping.fields[name]!)
    if (value === undefined || value === null) continue
    if (name === 'timestamp') event[name] = timeOf(value, mapping.timestampUnit)
    else event[name] = isText && integerFields.has(name) ? typedValue(value) : value
  }
  const data = dataOf(row, mapping, isText)
  if (data !== undefined) event['data'] = data
  return withKind(event, isText)
}

/** Fills in the fields that a file with only one kind of events may leave out. */
function withKind(event: Record<string, unknown>, isText: boolean): Record<string, unknown> {
  const isPage = event['to'] !== undefined && event['name'] === undefined
  const type = (event['type'] ??= isPage ? 'url_change' : 'custom')
  if (type === 'url_change' || type === '2' || type === 2) {
    event['from'] ??= ''
    event['elapsed_time'] ??= 0
  } else if (isText && event['from'] !== undefined) event['from'] = typedValue(event['from'])
  return event
}

function dataOf(row: Readonly<Record<string, unknown>>, { fields, data }: Mapping, isText: boolean): unknown {
  if (data === undefined) return undefined
  if (typeof data === 'object' && 'column' in data) return objectOf(valueAt(row, data.column))
  const columns = data === '*' ? otherColumns(row, fields) : data
  let found: Record<string, unknown> | undefined
  for (const column of columns) {
    const value = valueAt(row, column)
    if (value === undefined || value === null) continue
    found ??= {}
    found[column] = isText ? typedValue(value) : value
  }
  return found
}

function otherColumns(row: Readonly<Record<string, unknown>>, fields: Mapping['fields']): string[] {
  const taken = new Set(Object.values(fields))
  return Object.keys(row).filter((name) => !taken.has(name))
}

/** Reads a cell that has an object as JSON. */
function objectOf(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? undefined
  try {
    return JSON.parse(withExactNumbers(value))
  } catch {
    return value
  }
}

/** Looks up a column, or a path like `user.id` in nested objects. */
function valueAt(row: Readonly<Record<string, unknown>>, column: string): unknown {
  if (Object.hasOwn(row, column)) return row[column]
  if (!column.includes('.')) return undefined
  let value: unknown = row
  for (const name of column.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** Reads a text as the number or truth value that it is written as. A text like 007 or a long id is left as it is. */
export function typedValue(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value === 'true' || value === 'false') return value === 'true'
  if (!numeric.test(value) || value.replace(/\D/g, '').length > DIGITS_MAX) return value
  return Number(value)
}

/** Converts a time that is a number to ms. Other texts are read as ISO 8601 later. */
function timeOf(value: unknown, unit: TimestampUnit): unknown {
  // a number in ns has more digits than a double keeps
  if (unit === 'ns' && typeof value === 'string' && /^\d{1,20}$/.test(value)) return Number(BigInt(value) / 1_000_000n)
  if (typeof value !== 'number' && !(typeof value === 'string' && decimal.test(value))) return value
  const ms = Number(value) * msOf(unit)
  return unit === 'us' || unit === 'ns' ? Math.floor(ms) : Math.round(ms)
}
