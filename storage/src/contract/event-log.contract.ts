import { randomUUID } from 'node:crypto'
import { decodeEnvelope, laneOf, type Envelope } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Storage } from '../ports/storage.ts'

const envelope = (app: string, device_id: string, received_at: number): Envelope => ({
  version: 1, app, device_id, received_at, context: { device: 'unknown', browser: '', os: '' }, events: [],
})

/** What every adapter of the log must do. `make` opens the same store again after it was closed. */
export function eventLogContract(name: string, make: () => Promise<Storage>): void {
  describe(`event log on ${name}`, () => {
    let storage: Storage
    beforeAll(async () => void (storage = await make()))
    afterAll(() => storage.close())

    it('puts each envelope into the lane of its device, in order, durable across a reopening', async () => {
      const app = randomUUID()
      const sent = Array.from({ length: 40 }, (_, at) => envelope(app, `d${at % 7}`, at))
      const places = (await Promise.all([0, 10, 20, 30].map((at) => storage.log.append(sent.slice(at, at + 10))))).flat()
      expect(places.map((place) => place.lane)).toEqual(sent.map((each) => laneOf(app, each.device_id, storage.log.lanes)))
      await storage.close()
      storage = await make()
      const last = new Map<number, number>()
      for (const [at, { lane, position }] of places.entries()) {
        expect(position).toBeGreaterThan(last.get(lane) ?? -1)
        last.set(lane, position)
        const [message] = await storage.log.read(lane, position, 1)
        expect(message!.position).toBe(position)
        expect(decodeEnvelope(message!.value)).toEqual(sent[at])
      }
      const ends = await storage.log.ends()
      for (const [lane, position] of last) expect(ends[lane]).toBeGreaterThan(position)
    })

    it('delivers a batch again after it threw, then what is appended later, and revokes every lane at the close', async () => {
      const app = randomUUID()
      const ends = await storage.log.ends()
      const got: number[] = []
      const revoked: number[] = []
      let failures = 1
      const subscription = await storage.log.subscribe({
        assigned: async (lane) => ends[lane]!,
        batch: async (_lane, messages) => {
          if (failures-- > 0) throw new Error('once')
          for (const { value } of messages) {
            const read = decodeEnvelope(value)
            if (read.app === app) got.push(read.received_at)
          }
        },
        revoked: async (lane) => void revoked.push(lane),
      })
      await storage.log.append([envelope(app, 'd', 1), envelope(app, 'd', 2)])
      await vi.waitFor(() => expect(got).toEqual([1, 2]), 15_000)
      await storage.log.append([envelope(app, 'd', 3)])
      await vi.waitFor(() => expect(got).toEqual([1, 2, 3]), 15_000)
      await subscription.close()
      expect(revoked.sort((a, b) => a - b)).toEqual(ends.map((_, lane) => lane))
    })
  })
}
