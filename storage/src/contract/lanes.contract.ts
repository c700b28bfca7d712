import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../ports/storage.ts'

/** The contract of every lanes adapter; uses lane 0. */
export function lanesContract(name: string, make: () => Promise<Storage>): void {
  describe(`lanes on ${name}`, () => {
    let storage: Storage
    beforeAll(async () => void (storage = await make()))
    afterAll(() => storage.close())

    it('gives a released lane to the next owner with a larger epoch, and fences the earlier one', async () => {
      const first = await storage.lanes.acquire(0, randomUUID())
      await storage.lanes.release(first)
      const next = await storage.lanes.acquire(0, randomUUID())
      expect(next.epoch).toBeGreaterThan(first.epoch)
      await expect(storage.lanes.renew(first)).rejects.toThrow()
      await storage.lanes.release(next)
    })

    it('renews a lease without a new epoch', async () => {
      const lease = await storage.lanes.acquire(0, randomUUID())
      const renewed = await storage.lanes.renew(lease)
      expect(renewed.epoch).toBe(lease.epoch)
      expect(renewed.expiresAt).toBeGreaterThanOrEqual(lease.expiresAt)
      await storage.lanes.release(renewed)
    })

    it('keeps the committed position', async () => {
      const lease = await storage.lanes.acquire(0, randomUUID())
      const position = (await storage.lanes.positions())[0]! + 17
      await storage.lanes.commit(lease, position)
      expect((await storage.lanes.positions())[0]).toBe(position)
      await storage.lanes.release(lease)
    })
  })
}
