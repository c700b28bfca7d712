import { HopperError } from '@hopper/contracts'

/** Maximum nesting of a body: a filter at its own bound needs less, even with lists in between. */
const DEPTH_MAX = 24
/** Maximum length of a list in a body. */
const ITEMS_MAX = 1_000
/** Maximum number of values in a body, including those in lists and objects. */
const VALUES_MAX = 20_000

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\,[]{}')

/**
 * Refuses a body whose parsing alone would take too long. Bytes that are not JSON may pass.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function assertBoundedText(json: Uint8Array): void {
  let [depth, values, isText] = [0, 1, false]
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]
    if (isText) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === COMMA) values++
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      values++
      if (++depth > DEPTH_MAX + 1) throw tooDeep()
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
  }
  if (values > VALUES_MAX) throw new HopperError('HOP_PARAM_INVALID', `The body has more than ${VALUES_MAX} values.`)
}

/**
 * Refuses oversized values before any recursive code visits them.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function assertBounded(value: unknown): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw tooDeep()
    const next: unknown[] = []
    for (const each of level) {
      if (typeof each !== 'object' || each === null) continue
      if (Array.isArray(each) && each.length > ITEMS_MAX)
        throw new HopperError('HOP_PARAM_INVALID', `A list in the body has more than ${ITEMS_MAX} items.`)
      for (const inner of Object.values(each)) next.push(inner)
    }
    level = next
  }
}

function tooDeep(): HopperError {
  return new HopperError('HOP_PARAM_INVALID', `The body is nested deeper than ${DEPTH_MAX} levels.`)
}
