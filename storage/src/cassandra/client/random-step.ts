import { randomInt } from 'node:crypto'

/** Sums of successive steps are told apart, and a version of 64 bits takes millions of them. */
const STEP_MAX = 2 ** 40

/** A step by which a version becomes one that it never was. */
export function randomStep(): bigint {
  return BigInt(randomInt(1, STEP_MAX))
}
