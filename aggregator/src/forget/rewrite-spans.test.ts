import fc from 'fast-check'
import { deviceDigest, type ArchivedEvent, type ChunkSummary, type Event } from '@hopper/contracts'
import { encodeChunks, eventsOfChunk } from '@hopper/engine'
import { placeOf } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { openLane } from '../testing/lane.fixture.ts'
import { fetchColumns, ForgottenRows } from './forgotten-rows.ts'
import { rewriteSpans } from './rewrite-spans.ts'

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }
const date = '2026-06-15'
const noon = Date.parse(`${date}T12:00:00Z`)
const row = fc.record({
  device: fc.constantFrom('gone', 'kept', 'shared'),
  late: fc.nat(9),
  put: fc.option(fc.record({ payload: fc.json(), isExact: fc.boolean() }), { nil: undefined }),
})

const rowOf = (
  { device, late, put }: typeof row extends fc.Arbitrary<infer T> ? T : never,
  position: number,
): ArchivedEvent => {
  const exact = put?.isExact ? { timestamp_ns: `${noon + position}000${position % 10}00` } : {}
  const fields = put ? { payload: put.payload, ...exact } : { data: { n: position, text: `t${position}` } }
  const event: Event = {
    type: 'custom',
    name: `n${position % 3}`,
    event_id: `e${position}`,
    timestamp: noon + position,
    seq: position,
    ...fields,
  }
  const context = { device: 'server', browser: '', os: '' } as const
  return {
    event,
    device_id: device,
    user: '',
    context,
    received_at: noon + position * 2 - late,
    position,
    index: position % 2,
  }
}
/** Sorts events by place and picks the fields that the archive stores. */
const ordered = (events: readonly ArchivedEvent[]): unknown[] =>
  [...events]
    .sort((a, b) => a.position - b.position)
    .map(({ event, device_id, context, received_at, position, index }) => ({
      ...{ event, device_id, context, received_at, position, index },
    }))

it('keeps every field of the events that remain, and recomputes the summary of put events', async () => {
  await using lane = await openLane(openEmbedded)
  const archive = lane.storage.archive!
  const lease = await lane.storage.lanes.acquire(0, 'test')
  let number = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(4, 100),
      async (drafts, rowsMax) => {
        const app = `app${number++}`
        const rows = drafts.map(rowOf)
        const cover = { app, date, lane: 0, first_position: 0, last_position: rows.length }
        await archive.append(lease, encodeChunks(rows, cover, rowsMax))
        const middle = placeOf(Math.floor(rows.length / 2), 0)
        const forgotten = new ForgottenRows(app, {
          devices: [
            { device: deviceDigest(app, 'gone'), whole: true, ranges: [[0, placeOf(rows.length, 0)]] },
            { device: deviceDigest(app, 'shared'), whole: false, ranges: [[0, middle]] },
          ],
        })
        await rewriteSpans(
          archive,
          { app, lane: 0, rows: forgotten },
          () => lease,
          () => undefined,
        )
        const left = rows.filter(
          ({ device_id, position, index }) =>
            device_id === 'kept' || (device_id === 'shared' && placeOf(position, index) >= middle),
        )
        const summaries: readonly ChunkSummary[] = await archive.list({ app, lane: 0, ...ALL })
        const read: ArchivedEvent[] = []
        for (const summary of summaries) {
          const chunk = await fetchColumns(archive, summary, Object.keys(summary.columns))
          const events = [...eventsOfChunk(chunk, ALL)]
          const puts = events.filter(({ event }) => 'payload' in event && event.payload !== undefined)
          const last_received = Math.max(...puts.map(({ received_at }) => received_at))
          expect([summary.rows, summary.puts]).toEqual([
            events.length,
            puts.length === 0 ? undefined : { rows: puts.length, last_received },
          ])
          read.push(...events)
        }
        expect(ordered(read)).toEqual(ordered(left))
      },
    ),
    { numRuns: 60 },
  )
})
