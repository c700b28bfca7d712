import { HopperError } from '@hopper/contracts'
import type { Lease } from './ports/tables.ts'

/** Returns whether a lease has expired on the monotonic clock of this process: another owner may have the lane. */
export function isLeaseExpired({ expiresAt }: Lease): boolean {
  return performance.now() >= expiresAt
}

/**
 * Asserts that a lease has not expired; called immediately before each write. A write must have ended, with whatever
 * outcome, before the next owner begins; that owner waits for the duration of the lease plus the maximum duration of a
 * write.
 * @throws HopperError HOP_STORE_UNAVAILABLE
 */
export function assertLeaseHolds(lease: Lease): void {
  if (isLeaseExpired(lease))
    throw new HopperError('HOP_STORE_UNAVAILABLE', `The lease of lane ${lease.lane} has run out.`)
}
