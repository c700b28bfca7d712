import { totalmem } from 'node:os'

/**
 * Memory that the process may take, in bytes: the limit of its container when there is one, else all of the machine.
 */
export function availableMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
