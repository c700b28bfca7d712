import { totalmem } from 'node:os'

/**
 * Returns the memory that the process may use, in bytes: the limit of its container if there is one, else all memory of
 * the machine.
 */
export function availableMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
