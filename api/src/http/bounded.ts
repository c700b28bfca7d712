import { HopperError } from '@hopper/contracts'

/** No body of the API is nested deeper: a filter at its own bound needs less, also when lists stand between. */
const DEPTH_MAX = 24
/** No list in a body is longer. */
const ITEMS_MAX = 1_000

/**
 * Refuses what only wants to keep us busy, before anything recursive looks at it.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function assertBounded(value: unknown): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw new HopperError('HOP_PARAM_INVALID', `The body is nested deeper than ${DEPTH_MAX} levels.`)
    const next: unknown[] = []
    for (const each of level) {
      if (typeof each !== 'object' || each === null) continue
      if (Array.isArray(each) && each.length > ITEMS_MAX) throw new HopperError('HOP_PARAM_INVALID', `A list in the body has more than ${ITEMS_MAX} items.`)
      for (const inner of Object.values(each)) next.push(inner)
    }
    level = next
  }
}
