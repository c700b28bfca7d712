import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import { statement } from '../client/statements.ts'

const POLL_MS = 250
const RENEWALS_PER_LOCK = 4

/** Durations of a lock. */
export interface LockTimes {
  /** time after which the lock of a dead process expires */
  readonly lockSeconds: number
  /** maximum wait for another process' lock */
  readonly waitMs: number
}

/**
 * Runs `work` under a lock that excludes other processes. The lock is renewed as long as `work` runs. `assertHeld` must
 * be called before every change; it throws HOP_STORE_UNAVAILABLE when renewal has failed for too long. Throws the same
 * when another process keeps the lock for longer than `waitMs`.
 */
export async function withLock<T>(
  client: Client,
  { lockSeconds, waitMs }: LockTimes,
  work: (assertHeld: () => void) => Promise<T>,
): Promise<T> {
  const owner = randomUUID()
  const transact = async (name: string, parameters: unknown[]): Promise<boolean> =>
    (
      await client.execute(statement(`migrations.${name}`), parameters, { prepare: true, isIdempotent: false })
    ).wasApplied()
  const end = performance.now() + waitMs
  let heldUntil = performance.now() + lockSeconds * 1_000
  while (!(await transact('lock', [owner, lockSeconds]))) {
    if (performance.now() > end)
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'Another process holds the lock of the migrations.')
    await pause(POLL_MS)
    heldUntil = performance.now() + lockSeconds * 1_000
  }
  const renewing = setInterval(
    () => {
      const since = performance.now()
      transact('renewLock', [lockSeconds, owner, owner]).then(
        (held) => (heldUntil = held ? since + lockSeconds * 1_000 : 0),
        () => undefined,
      )
    },
    (lockSeconds * 1_000) / RENEWALS_PER_LOCK,
  )
  let failure: { readonly error: unknown } | undefined
  try {
    return await work(() => {
      if (performance.now() >= heldUntil)
        throw new HopperError('HOP_STORE_UNAVAILABLE', 'The lock of the migrations was lost.')
    })
  } catch (error) {
    failure = { error }
    throw error
  } finally {
    clearInterval(renewing)
    await transact('unlock', [owner]).catch((error: unknown) => {
      // The error of the work is the cause; a lock that nobody renews expires by itself.
      if (!failure) throw error
    })
  }
}
