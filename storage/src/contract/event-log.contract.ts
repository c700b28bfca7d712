import { randomUUID } from 'node:crypto'
import { decodeEnvelope, laneOf, type Envelope } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Storage } from '../ports/storage.ts'

const envelope = (app: string, device_id: string, received_at: number): Envelope => ({
  version: 1,
  app,
  device_id,
  received_at,
  context: { device: 'unknown', browser: '', os: '' },
  events: [],
})

/** The contract of every log adapter. `make` opens the same store again after it was closed. */
export function eventLogContract(name: string, make: () => Promise<Storage>): void {
  describe(`event log on ${name}`, () => {
    let storage: Storage
    beforeAll(async () => void (storage = await make()))
    afterAll(() => storage.close())

    it('puts each envelope into the lane of its device, in order, durable across a reopening', async () => {
      const app = randomUUID()
      const sent = Array.from({ length: 40 }, (_, index) => envelope(app, `d${index % 7}`, index))
      const places = (
        await Promise.all([0, 10, 20, 30].map((start) => storage.log.append(sent.slice(start, start + 10))))
      ).flat()
      expect(places.map((place) => place.lane)).toEqual(
        sent.map((each) => laneOf(app, each.device_id, storage.log.lanes)),
      )
      await storage.close()
      storage = await make()
      const last = new Map<number, number>()
      for (const [index, { lane, position }] of places.entries()) {
        expect(position).toBeGreaterThan(last.get(lane) ?? -1)
        last.set(lane, position)
        const [message] = await storage.log.read(lane, position, 1)
        expect(message!.position).toBe(position)
        expect(decodeEnvelope(message!.value)).toEqual(sent[index])
      }
      const ends = await storage.log.ends()
      for (const [lane, position] of last) expect(ends[lane]).toBeGreaterThan(position)
    })

    it('keeps the order of overlapping appends, and accepts an empty append', async () => {
      const app = randomUUID()
      expect(await storage.log.append([])).toEqual([])
      const places = (
        await Promise.all(Array.from({ length: 50 }, (_, index) => storage.log.append([envelope(app, 'd', index)])))
      ).flat()
      const lane = laneOf(app, 'd', storage.log.lanes)
      const messages = await storage.log.read(lane, places[0]!.position, 50)
      expect(messages.map(({ position }) => position)).toEqual(places.map(({ position }) => position))
      expect(messages.map(({ value }) => decodeEnvelope(value).received_at)).toEqual(places.map((_, index) => index))
    })

    it('reads a lane from a position on, up to the limit, and nothing beyond its end', async () => {
      const app = randomUUID()
      const places = await storage.log.append([1, 2, 3].map((receivedAt) => envelope(app, 'd', receivedAt)))
      const { lane, position } = places[0]!
      expect((await storage.log.read(lane, position + 1, 1)).map((each) => each.position)).toEqual([
        places[1]!.position,
      ])
      const end = (await storage.log.ends())[lane]!
      expect(await storage.log.read(lane, end, 10)).toEqual([])
      expect(await storage.log.read(lane, end + 1_000, 10)).toEqual([])
      expect(await storage.log.read(lane, position, 0)).toEqual([])
    })

    it('appends raw messages to the lanes they name, even invalid ones, and limits the bytes of a read', async () => {
      const values = ['', 'no JSON', '\u0000\n', 'x'.repeat(3_000), 'y'.repeat(3_000), '{}']
        .map((text) => Buffer.from(text))
        .concat([Buffer.from([0xff, 0xfe, 0])])
      expect(await storage.log.appendMessages([])).toEqual([])
      const lane = storage.log.lanes - 1
      const places = await storage.log.appendMessages(values.map((value) => ({ lane, value })))
      expect(places.map((place) => place.lane)).toEqual(values.map(() => lane))
      const from = places[0]!.position
      expect((await storage.log.read(lane, from, values.length)).map(({ value }) => Buffer.from(value))).toEqual(values)
      expect(await storage.log.read(lane, from, values.length, 3_050)).toHaveLength(4)
      expect(await storage.log.read(lane, places[3]!.position, values.length, 100)).toHaveLength(1)
    })

    it('rewrites messages at their positions, if it can', async () => {
      const app = randomUUID()
      const places = await storage.log.append(Array.from({ length: 9 }, (_, index) => envelope(app, 'd', index)))
      if (!storage.log.rewrite) return
      const { lane } = places[0]!
      const changed = [places[1]!, places[7]!].map(({ position }) => ({ position, value: Buffer.from(`x${position}`) }))
      await storage.log.rewrite(lane, [
        ...changed,
        { position: places[8]!.position + 100, value: Buffer.from('never') },
      ])
      const read = await storage.log.read(lane, places[0]!.position, 20)
      expect(read.map(({ position }) => position)).toEqual(places.map(({ position }) => position))
      const texts = read.map(({ value }) => Buffer.from(value).toString())
      expect([texts[1], texts[7]]).toEqual([`x${places[1]!.position}`, `x${places[7]!.position}`])
      const others = read.filter((_, index) => index !== 1 && index !== 7)
      expect(others.map(({ value }) => decodeEnvelope(value).received_at)).toEqual([0, 2, 3, 4, 5, 6, 8])
    })

    it('asks each lane once for its position, delivers from there, and never overlaps calls for one lane', async () => {
      const app = randomUUID()
      const sent = Array.from({ length: 60 }, (_, index) => envelope(app, `d${index % 9}`, index))
      const places = await storage.log.append(sent)
      // The second message of each lane is the first wanted.
      const from = (await storage.log.ends()).map(
        (end, lane) => places.filter((place) => place.lane === lane)[1]?.position ?? end,
      )
      const calls = from.map(() => [] as string[])
      const inFlight = new Set<number>()
      let overlaps = 0
      const got = new Set<number>()
      const alone = async (lane: number, call: string): Promise<void> => {
        calls[lane]!.push(call)
        if (inFlight.has(lane)) overlaps++
        inFlight.add(lane)
        await new Promise(setImmediate)
        inFlight.delete(lane)
      }
      const subscription = await storage.log.subscribe({
        assigned: async (lane) => (await alone(lane, 'a'), from[lane]!),
        batch: async (lane, messages) => {
          await alone(lane, 'b')
          expect(messages[0]!.position).toBeGreaterThanOrEqual(from[lane]!)
          for (const { value } of messages) got.add(decodeEnvelope(value).received_at)
        },
        revoked: (lane) => alone(lane, 'r'),
      })
      const wanted = sent
        .filter((_, index) => places[index]!.position >= from[places[index]!.lane]!)
        .map(({ received_at }) => received_at)
      await vi.waitFor(() => expect([...got].sort((a, b) => a - b)).toEqual(wanted), 15_000)
      await subscription.close()
      expect(overlaps).toBe(0)
      for (const lane of calls) expect(lane.join('')).toMatch(/^ab*r$/)
    })

    it('redelivers a batch after it threw, then delivers later messages, and revokes every lane on close', async () => {
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
