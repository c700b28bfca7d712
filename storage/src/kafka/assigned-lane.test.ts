import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LaneConsumer } from '../ports/event-log.ts'
import { AssignedLane } from './assigned-lane.ts'

/** Records each call, and whether another call was in flight when it began. */
class Recorder implements LaneConsumer {
  readonly calls: string[] = []
  overlaps = 0
  position = 0
  #inFlight = 0

  async assigned(): Promise<number> {
    await this.#record('a')
    return this.position
  }

  async batch(_lane: number, messages: readonly { position: number }[]): Promise<void> {
    await this.#record('b')
    this.position = messages.at(-1)!.position + 1
  }

  async revoked(): Promise<void> {
    await this.#record('r')
  }

  async #record(call: string): Promise<void> {
    this.calls.push(call)
    if (this.#inFlight++ > 0) this.overlaps++
    await new Promise(setImmediate)
    this.#inFlight--
  }
}

const messages = (from: number): { position: number; value: Uint8Array }[] =>
  Array.from({ length: 3 }, (_, index) => ({ position: from + index, value: new Uint8Array() }))

it('never overlaps calls of its consumer, whatever the group assigns and revokes', async () => {
  const step = fc.constantFrom('take', 'take again', 'release', 'deliver', 'wait')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const consumer = new Recorder()
      const lane = new AssignedLane(0, consumer)
      for (const each of steps) {
        if (each === 'take') lane.take(() => undefined)
        if (each === 'take again') lane.takeAgain(() => undefined)
        if (each === 'release') void lane.release()
        if (each === 'deliver') void lane.deliver(lane.next, messages(lane.next))
        if (each === 'wait') await new Promise(setImmediate)
      }
      await lane.release()
      expect(consumer.overlaps).toBe(0)
      expect(consumer.calls.join('')).toMatch(/^(ab*r)*$/)
    }),
  )
})

it('delivers nothing twice, and nothing beyond a position that it has not reached', async () => {
  const consumer = new Recorder()
  const lane = new AssignedLane(0, consumer)
  await new Promise<void>((taken) => lane.take(taken))
  expect(await lane.deliver(0, messages(0))).toBe(true)
  expect(await lane.deliver(0, messages(1))).toBe(true)
  expect(lane.next).toBe(4)
  await lane.deliver(7, messages(7))
  expect(lane.next).toBe(4)
  await lane.deliver(4, messages(7))
  expect(lane.next).toBe(10)
})

it('delivers a backlog in few parts of at most 16,000 messages and 8 MB, except a larger single message', async () => {
  const parts: { count: number; bytes: number }[] = []
  const lane = new AssignedLane(0, {
    assigned: async () => 0,
    revoked: async () => undefined,
    batch: async (_lane, some) =>
      void parts.push({ count: some.length, bytes: some.reduce((sum, { value }) => sum + value.length, 0) }),
  })
  await new Promise<void>((taken) => lane.take(taken))
  const sizes = [...new Array<number>(33_000).fill(10), 5_000_000, 3_000_000, 1, 9_000_000, 5]
  expect(
    await lane.deliver(
      0,
      sizes.map((size, position) => ({ position, value: new Uint8Array(size) })),
    ),
  ).toBe(true)
  expect(parts).toEqual([
    { count: 16_000, bytes: 160_000 },
    { count: 16_000, bytes: 160_000 },
    { count: 1_001, bytes: 5_010_000 },
    { count: 2, bytes: 3_000_001 },
    { count: 1, bytes: 9_000_000 },
    { count: 1, bytes: 5 },
  ])
  expect(lane.next).toBe(sizes.length)
})

it('asks for the position until the consumer answers, but no longer when the lane is given up', async () => {
  let assignedCalls = 0
  const lane = new AssignedLane(0, {
    assigned: () => (assignedCalls++, Promise.reject(new Error('unavailable'))),
    batch: async () => undefined,
    revoked: async () => expect.fail('never held'),
  })
  lane.take(() => expect.fail('never taken'))
  while (assignedCalls < 3) await new Promise(setImmediate)
  // The release comes after the request in the lane's queue, so it would never resolve if that continued.
  await lane.release()
})
