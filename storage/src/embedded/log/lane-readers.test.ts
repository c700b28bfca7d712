import { expect, it } from 'vitest'
import type { LaneConsumer } from '../../ports/event-log.ts'
import { LaneReaders, type ReadLane } from './lane-readers.ts'

const message = { position: 0, value: Buffer.from('x') }
const consumer = (batch: LaneConsumer['batch']): LaneConsumer => ({
  assigned: async () => 0,
  batch,
  revoked: async () => undefined,
})

/**
 * Runs the readers of one lane, with an append every millisecond, until the condition holds. Returns the duration of
 * their close in ms.
 */
async function underAppends(batch: LaneConsumer['batch'], read: ReadLane, until: () => boolean): Promise<number> {
  const readers = new LaneReaders(1, consumer(batch), read)
  await readers.start()
  const appends = setInterval(() => readers.wake(), 1)
  const end = performance.now() + 10_000
  while (!until() && performance.now() < end) await new Promise((next) => setTimeout(next, 1))
  clearInterval(appends)
  const closing = performance.now()
  await readers.close()
  return performance.now() - closing
}

it('retries a failed batch after growing pauses, however many appends arrive meanwhile', async () => {
  const tries: number[] = []
  const fails = async (): Promise<void> => {
    tries.push(performance.now())
    throw new Error('the store is away')
  }
  const endMs = await underAppends(
    fails,
    () => [message],
    () => tries.length >= 5,
  )
  const pauses = tries.slice(1).map((at, i) => at - tries[i]!)
  // a timer may fire a millisecond early
  expect(pauses.map((ms, i) => ms >= 50 * 2 ** i - 2)).toEqual(pauses.map(() => true))
  expect(pauses.length).toBeGreaterThanOrEqual(4)
  // The pause of 800 ms that had begun does not delay the close.
  expect(endMs).toBeLessThan(400)
})

it('is woken by an append when it has read everything', async () => {
  const started = performance.now()
  let reads = 0
  await underAppends(
    async () => undefined,
    () => (reads++, []),
    () => reads >= 20,
  )
  expect(performance.now() - started).toBeLessThan(20 * 250)
})
