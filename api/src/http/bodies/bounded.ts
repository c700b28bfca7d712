import { HopperError } from '@hopper/contracts'

/** No body of the API is nested deeper: a filter at its own bound needs less, also when lists stand between. */
const DEPTH_MAX = 24
/** No list in a body is longer. */
const ITEMS_MAX = 1_000
/** Values in a body, those in lists and objects included. */
const VALUES_MAX = 50_000

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\,[]{}')

/**
 * Refuses the bytes of a body whose reading alone would keep us busy. What is no JSON may pass.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function assertBoundedText(json: Uint8Array): void {
  let [depth, values, isText] = [0, 1, false]
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (isText) {
      if (byte === BACKSLASH) at++
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
 * Refuses what only wants to keep us busy, before anything recursive looks at it.
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
