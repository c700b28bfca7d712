import { getPriority, setPriority } from 'node:os'

/** Low enough to prioritize HTTP, the log and the folding of events; high enough for progress on a busy machine. */
const NICE = 10

/**
 * Lowers the priority of the calling thread. Only Linux has priorities per thread; elsewhere the call would affect the
 * whole process, so it does nothing. A process that was started with a lower priority keeps it: raising it requires a
 * privilege, and a missing privilege must not prevent a thread from starting.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux' || getPriority() >= NICE) return
  setPriority(NICE)
}
