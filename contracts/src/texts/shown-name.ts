import { Type } from 'typebox'
import { limits } from '../limits.ts'

/**
 * Characters that names must not contain: controls, halves of surrogate pairs, line separators. Marks of the direction
 * of text are allowed, since names in Arabic and Hebrew need them; a page that shows a name isolates it from its text.
 */
const REFUSED = '\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff\\u2028\\u2029'
/** Characters that a text of several lines must not contain either. */
const REFUSED_IN_TEXT = REFUSED.replace('\\u0000-\\u001f', '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f')
/**
 * Characters that show nothing by themselves: spaces, joiners, fillers, marks of direction, variation selectors. Those
 * beyond U+FFFF (tags) are left out: the escapes for them are not the same in all dialects that read the OpenAPI.
 */
const UNSEEN =
  ' \\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u202a-\\u202f' +
  '\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8'
const NAME = patternOf(REFUSED, UNSEEN)
const TEXT = patternOf(REFUSED_IN_TEXT, `${UNSEEN}\\t\\n\\r`)
const RULE = 'without control characters, and something in it can be seen'

/** The parts of a JSON schema that `trimNames` follows. */
interface Schema {
  readonly 'x-trim'?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

/**
 * Returns the schema of a name that people are shown, as it is sent: spaces around it are removed by `trimNames`. A
 * stored name may be older than the rule, so it has a schema without `pattern`.
 */
export function shownName(charsMax: number = limits.nameCharsMax, meaning?: string): ReturnType<typeof Type.String> {
  const rule = `one line ${RULE}`
  const description = meaning === undefined ? rule : `${rule}; ${meaning}`
  return Type.String({ minLength: 1, maxLength: charsMax, pattern: NAME, description, 'x-trim': true })
}

/** Returns the schema of a text of several lines that people are shown, by the rule for names. */
export function shownText(charsMax: number): ReturnType<typeof Type.String> {
  const description = `text ${RULE}`
  return Type.String({ minLength: 1, maxLength: charsMax, pattern: TEXT, description, 'x-trim': true })
}

function patternOf(refused: string, unseen: string): string {
  // the first two classes have nothing in common, so that this is linear
  return `^[${unseen}]*[^${unseen}${refused}][^${refused}]*$`
}

/** Returns a value whose names, by the schema, have no spaces around them. */
export function trimNames(schema: object, value: unknown): unknown {
  const { 'x-trim': isName, properties, items, anyOf } = schema as Schema
  if (typeof value === 'string') return isName || anyOf?.some((one) => one['x-trim']) ? value.trim() : value
  if (typeof value !== 'object' || value === null) return value
  if (anyOf) return anyOf.reduce<unknown>((trimmed, one) => trimNames(one, trimmed), value)
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    return items ? list.map((item) => trimNames(items, item)) : list
  }
  if (!properties) return value
  const inner = Object.entries(value as Record<string, unknown>).map(([name, item]) => [
    name,
    Object.hasOwn(properties, name) ? trimNames(properties[name]!, item) : item,
  ])
  return Object.fromEntries(inner)
}

/** Makes a name of a text that somebody else has written: refused characters become spaces. */
export function nameFrom(text: string): string {
  return text.replace(new RegExp(`[${REFUSED}]+`, 'gu'), ' ').trim()
}
