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
    throw new Error('the store is unavailable')
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

it('offers a lane again that the consumer did not take, while the others are read', async () => {
  const refusals = [0, 0]
  const counted: number[] = []
  const all = Promise.withResolvers<void>()
  const readers = new LaneReaders(
    2,
    {
      assigned: async (lane) => {
        if (lane === 0 && refusals[0]! < 3) {
          refusals[0]!++
          throw new Error('the lane is taken')
        }
        return 7
      },
      batch: async (lane) => {
        counted.push(lane)
        if (counted.includes(0) && counted.includes(1)) all.resolve()
      },
      revoked: async () => undefined,
    },
    (_, from) => (from === 7 ? [{ ...message, position: 7 }] : []),
  )
  await readers.start()
  expect(readers.failure?.message).toBe('the lane is taken')
  await all.promise
  expect(counted).toEqual([1, 0])
  expect(refusals[0]).toBe(3)
  expect(readers.failure).toBeUndefined()
  await readers.close()
})

it('revokes a lane that cannot be read, says so once, and reads it again when it can', async () => {
  let isDamaged = true
  let reads = 0
  const calls: string[] = []
  const said: string[] = []
  const others = Promise.withResolvers<void>()
  const repaired = Promise.withResolvers<void>()
  const readers = new LaneReaders(
    2,
    {
      assigned: async (lane) => (lane === 0 && calls.push('assigned'), 0),
      batch: async (lane) => {
        if (lane === 0) calls.push('batch')
        ;(lane === 0 ? repaired : others).resolve()
      },
      revoked: async (lane) => void (lane === 0 && calls.push('revoked')),
    },
    (lane, from) => {
      if (lane === 0 && isDamaged) {
        if (++reads === 3) isDamaged = false
        throw new Error('lacks positions 0 to 4')
      }
      return from === 0 ? [message] : []
    },
    {
      error: (details, text) => void said.push(`${JSON.stringify({ ...details, err: undefined })} ${text}`),
      info: (_, text) => void said.push(text),
    },
  )
  await readers.start()
  await others.promise
  await repaired.promise
  await readers.close()
  expect(calls).toEqual([...new Array(3).fill(['assigned', 'revoked']).flat(), 'assigned', 'batch', 'revoked'])
  expect(said).toEqual([
    '{"lane":0} a lane is stalled: it could not be taken or read; it is tried again',
    'a lane that stood still is read again',
  ])
})
