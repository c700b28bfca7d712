import type { Event } from '@hopper/contracts'
import { withOverrides, type EventLog, type LaneConsumer } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Aggregator } from '../aggregator.ts'
import { guardedLog, type GuardedLog } from './guarded-log.ts'
import { envelopeOf, openLane, type LaneStore } from '../testing/lane.fixture.ts'

const view = (event_id: string): Event => ({
  type: 'url_change',
  event_id,
  timestamp: Date.parse('2026-06-15T12:00:00Z'),
  seq: 0,
  from: '',
  to: '/',
  elapsed_time: 0,
})

let lane: LaneStore
let running: Aggregator | undefined
beforeEach(async () => {
  lane = await openLane(openEmbedded)
  await lane.app('shop')
  await lane.storage.log.append(
    Array.from({ length: 4 }, (_, index) => envelopeOf('shop', { events: [view(`e${index}`)] })),
  )
})
afterEach(async () => {
  await running?.close()
  await lane[Symbol.asyncDispose]()
})

interface Watched extends GuardedLog {
  /** consumer that the log would call */
  readonly consumer: LaneConsumer
  readonly logged: string[]
  metrics(): Promise<string>
}

/** Starts an aggregator over a guarded log; the test calls its consumer in place of the log. */
async function startWatched(changes: Partial<EventLog>): Promise<Watched> {
  const metrics = new Registry()
  const logged: string[] = []
  const say =
    (level: string) =>
    (_details: object, message: string): void =>
      void logged.push(`${level}: ${message}`)
  let consumer: LaneConsumer | undefined
  const subscribe: EventLog['subscribe'] = async (given) => ((consumer = given), { close: async () => undefined })
  const logger = { info: say('info'), warn: say('warn'), error: say('error') }
  const guarded = guardedLog(withOverrides(lane.storage.log, { ...changes, subscribe }), {
    lanes: lane.storage.lanes,
    metrics,
    logger,
  })
  const aggregator = new Aggregator({ ...lane.storage, log: guarded.log, owner: 'test', logger })
  await aggregator.start()
  running = aggregator
  return {
    ...guarded,
    consumer: consumer!,
    logged,
    metrics: () => metrics.getSingleMetricAsString('hopper_aggregator_lost_messages'),
  }
}

const commit = async (position: number): Promise<void> => {
  const { lanes } = lane.storage
  const lease = await lanes.acquire(0, 'other')
  await lanes.commit(lease, position)
  await lanes.release(lease)
}

it('stalls a lane with lost uncounted messages, without an owner, until the log has its position again', async () => {
  let starts = [3]
  const { consumer, lost, health, logged, metrics } = await startWatched({ starts: async () => starts })
  await commit(1)
  for (let calls = 0; calls < 2; calls++)
    await expect(consumer.assigned(0)).rejects.toMatchObject({
      code: 'HOP_DATA_DAMAGED',
      message: expect.stringContaining('lost positions 1 to 2'),
    })
  expect(logged.filter((line) => line.startsWith('error'))).toEqual([expect.stringContaining('--accept-loss')])
  expect(lost()).toEqual([{ lane: 0, first: 1, next: 3, isCut: false }])
  expect(health()).toEqual({ name: 'lanes', healthy: false, detail: expect.stringContaining('lost positions 1 to 2') })
  expect(await metrics()).toContain('{lane="0"} 2')
  // A process that accepts the loss can take the lane immediately.
  await commit(3)
  expect(await consumer.assigned(0)).toBe(3)
  expect(lost()).toEqual([])
  expect(logged).toContain('info: a stalled lane continues')
  expect(health()).toEqual({ name: 'lanes', healthy: true })
  expect(await metrics()).not.toContain('{lane="0"}')
  // Deleted messages before the lane's position are not a loss.
  await consumer.revoked(0)
  starts = [4]
  await expect(consumer.assigned(0)).rejects.toMatchObject({ code: 'HOP_DATA_DAMAGED' })
  starts = [2]
  expect(await consumer.assigned(0)).toBe(3)
  await consumer.revoked(0)
})

it('stalls a lane that ends before its counted position', async () => {
  const { consumer } = await startWatched({ ends: async () => [2] })
  await commit(4)
  await expect(consumer.assigned(0)).rejects.toMatchObject({
    code: 'HOP_DATA_DAMAGED',
    message: expect.stringContaining('lane 0 ends at position 2, but 4 is counted'),
  })
})

it('tolerates a broker that lags for a moment', async () => {
  let calls = 0
  const { consumer, logged } = await startWatched({ ends: async () => [calls++ === 0 ? 2 : 4] })
  await commit(4)
  expect(await consumer.assigned(0)).toBe(4)
  expect(logged.filter((line) => line.startsWith('error'))).toEqual([])
  await consumer.revoked(0)
})

it('checks direct reads for losses too, and accepts intended gaps', async () => {
  const starts = [3]
  const { log } = await startWatched({
    starts: async () => starts,
    read: (number, from, ...limits) => lane.storage.log.read(number, Math.max(from, 3), ...limits),
  })
  expect((await log.read(0, 3, 1)).map(({ position }) => position)).toEqual([3])
  await expect(log.read(0, 1, 3)).rejects.toMatchObject({ code: 'HOP_DATA_DAMAGED' })
  starts[0] = 0
  expect((await log.read(0, 1, 3)).map(({ position }) => position)).toEqual([3])
})
