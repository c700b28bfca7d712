import type { Client } from 'cassandra-driver'
import { expect, it } from 'vitest'
import { statement } from '../client/statements.ts'
import { withLock } from './migration-lock.ts'

/** A cluster that grants the lock to everybody, and is unavailable when it is to be released. */
const leaving = {
  execute: (query: string) =>
    query === statement('migrations.unlock')
      ? Promise.reject(new Error('the cluster is unavailable'))
      : Promise.resolve({ wasApplied: () => true }),
} as unknown as Client
const times = { lockSeconds: 60, waitMs: 1_000 }

it('reports the error of the work, also when the lock cannot be released', async () => {
  const failing = withLock(leaving, times, async () => {
    throw new Error('migration 12 is not valid')
  })
  await expect(failing).rejects.toThrow('migration 12 is not valid')
})

it('reports a lock that cannot be released after the work is done', async () => {
  await expect(withLock(leaving, times, async () => 'done')).rejects.toThrow('the cluster is unavailable')
})
