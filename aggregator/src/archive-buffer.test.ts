import type { App } from '@hopper/contracts'
import type { Archive } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { ArchiveBuffer } from './archive-buffer.ts'
import { judge, NO_PAST } from './judge/judge.ts'
import { envelopeOf, openLane, type LaneStore } from './testing/lane.fixture.ts'

let lane: LaneStore
beforeAll(async () => void (lane = await openLane(openEmbedded)))
afterAll(() => lane[Symbol.asyncDispose]())
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.parse('2026-06-15T12:00:00Z') }))
afterEach(() => void vi.useRealTimers())

const app: App = { id: 'shop', organization: 'acme', name: 'shop', timezone: 'UTC', origins: [], keep_parameters: [] }

/** Buffer with one event that was received this long ago. */
function holding(heldMs: number, receivedAgoMs: number): ArchiveBuffer {
  const buffer = new ArchiveBuffer(lane.storage.archive as Archive, 0, 0, { fresh: heldMs }, () => undefined)
  expect(buffer.isDue).toBe(true)
  const timestamp = Date.now() - receivedAgoMs
  const envelope = envelopeOf('shop', { events: [{ type: 'custom', name: 'n', event_id: 'a', timestamp, seq: 0 }] })
  buffer.add(judge([{ position: 0, envelope, app }], NO_PAST).events)
  return buffer
}

it('buffers events for the configured time, and not at all when it is 0', () => {
  expect(holding(0, 100).isDue).toBe(true)
  const buffer = holding(5_000, 100)
  vi.advanceTimersByTime(4_999)
  expect(buffer.isDue).toBe(false)
  vi.advanceTimersByTime(1)
  expect(buffer.isDue).toBe(true)
})

it('makes one span of all past dates of a month, and covers each date once', async () => {
  const archive = lane.storage.archive as Archive
  const lease = await lane.storage.lanes.acquire(0, 'several-dates')
  const DAY_MS = 86_400_000
  const at = (position: number, timestamp: number): ReturnType<typeof judge>['events'] => {
    const events = [{ type: 'custom' as const, name: 'n', event_id: `d${position}`, timestamp, seq: 0 }]
    return judge([{ position, envelope: envelopeOf('months', { events }), app: { ...app, id: 'months' } }], NO_PAST)
      .events
  }
  const fill = async (from: number, until: number): Promise<void> => {
    const buffer = new ArchiveBuffer(archive, 0, from, { fresh: 0 }, () => undefined)
    for (let position = from; position < until; position++)
      buffer.add(at(position, Date.now() - (position % 130) * DAY_MS))
    await buffer.flush(() => lease)
  }
  await fill(0, 200)
  const list = (): ReturnType<Archive['list']> => archive.list({ app: 'months', from: 0, to: Number.MAX_SAFE_INTEGER })
  expect((await list()).map(({ date, rows }) => [date, rows])).toEqual([
    ['2026-02-06', 23],
    ['2026-03-01', 31],
    ['2026-04-01', 54],
    ['2026-05-01', 62],
    ['2026-06-01', 28],
    ['2026-06-15', 2],
  ])
  // The last messages are delivered again, as after a crash, followed by further ones.
  await fill(150, 210)
  expect((await list()).reduce((sum, { rows }) => sum + rows, 0)).toBe(210)
  await lane.storage.lanes.release(lease)
})

it('buffers a backlog for at least three seconds', () => {
  const buffer = holding(0, 60_000)
  vi.advanceTimersByTime(2_999)
  expect(buffer.isDue).toBe(false)
  vi.advanceTimersByTime(1)
  expect(buffer.isDue).toBe(true)
})
