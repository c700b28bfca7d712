import { setFlagsFromString } from 'node:v8'

/** Maximum growth of the heap over the memory in use after a collection. */
const GROWTH_PERCENT = 20

/**
 * Keeps the garbage of this process small, in threads that start from now on as well. V8 lets both generations of its
 * heap grow with the memory of the machine: an import that has 50 MB in use took 210 MB of heap, and came near the
 * bound of the aggregator's memory by that alone.
 */
export function boundGarbage(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
