import { randomInt } from 'node:crypto'

const STEP_MAX = 2 ** 31

/** A step by which a version becomes one that it never was. */
export function randomStep(): bigint {
  return BigInt(randomInt(1, STEP_MAX))
}
