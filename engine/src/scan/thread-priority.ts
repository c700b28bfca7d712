import { getPriority, setPriority } from 'node:os'

/** Low enough that HTTP, the log and the folding of events go first, high enough to make progress on a busy machine. */
const NICE = 10

/**
 * Lowers the priority of the calling thread. Only Linux has a priority for each thread; elsewhere the call would be
 * about the whole process, so the priority stays as it is. A process that was started with a lower one keeps it:
 * raising it takes a privilege, and no thread may fail to start for want of it.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux' || getPriority() >= NICE) return
  setPriority(NICE)
}
