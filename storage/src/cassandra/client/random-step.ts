import { randomInt } from 'node:crypto'

/** Large enough that sums of successive steps differ; a 64-bit version has room for millions of steps. */
const STEP_MAX = 2 ** 40

/** A random step that gives a version a value that it never had before. */
export function randomStep(): bigint {
  return BigInt(randomInt(1, STEP_MAX))
}
