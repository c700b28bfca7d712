import { inject } from 'vitest'

/** A quick run makes one repetition out of this many. */
const QUICK_SHARE = 3

/**
 * Returns how often a test that costs seconds each time repeats itself with other data: `all` times in a thorough run
 * (`HOPPER_THOROUGH=1`), else a third of them, at least `least`.
 */
export function repetitions(all: number, least = 1): number {
  return inject('thorough') ? all : Math.max(least, Math.ceil(all / QUICK_SHARE))
}
