import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { limits, type ArchivedEvent, type ChunkSummary, type Event } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import { mergeChunks } from '../chunk/merge-chunks.ts'
import { lastReceived, putPlaces, putReader, skipPuts } from './put-events.ts'

const APP = 'a'
const T0 = Date.UTC(2026, 0, 1)

interface Draft {
  readonly isPut: boolean
  /** deviation of the receipt from the order of the lane */
  readonly late: number
  readonly date: number
  readonly payload: string
}

const draft: fc.Arbitrary<Draft> = fc.record({
  isPut: fc.boolean(),
  late: fc.nat({ max: 4 }),
  date: fc.nat({ max: 2 }),
  payload: fc.json(),
})
const lane = fc.record({
  drafts: fc.array(draft, { maxLength: 40, size: 'max' }),
  cuts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 3 }),
  merged: fc.nat({ max: 3 }),
  rowsMax: fc.constantFrom(3, 100),
})
type Lane = typeof lane extends fc.Arbitrary<infer T> ? T : never

function rowOf({ isPut, late, date, payload }: Draft, position: number): ArchivedEvent {
  const event: Event = {
    type: 'custom',
    name: `n${position % 3}`,
    event_id: `e${position}`,
    timestamp: T0 + date * 86_400_000 + position,
    seq: 0,
    ...(isPut ? { payload, ...(position % 2 === 0 ? { timestamp_ns: `${T0 + position}000000` } : {}) } : {}),
  }
  return {
    event,
    device_id: `d${position % 5}`,
    user: '',
    context: { device: 'server', browser: '', os: '' },
    received_at: T0 + position * 2 - late * 3,
    position,
    index: position % 7,
  }
}

/** Positions of a lane that a span covers, and those of its events: they have one date, so that spans overlap. */
interface Span {
  readonly first: number
  readonly last: number
  readonly positions: readonly number[]
}

function spansOf({ drafts, cuts }: Lane): Span[] {
  const spans: Span[] = []
  for (let first = 0, i = 0; first < drafts.length; i++) {
    const last = Math.min(first + cuts[i % cuts.length]!, drafts.length) - 1
    for (const date of [0, 1, 2]) {
      const positions = [...drafts.keys()].filter(
        (position) => position >= first && position <= last && drafts[position]!.date === date,
      )
      if (positions.length > 0) spans.push({ first, last, positions })
    }
    first = last + 1
  }
  return spans
}

/** Chunks of the spans of a lane, of which some are merged. */
function chunksOf(one: Lane): Chunk[] {
  const chunks = spansOf(one).flatMap(({ first, last, positions }) => {
    const rows = positions.map((position) => rowOf(one.drafts[position]!, position))
    const cover = { app: APP, date: '2026-01-01', lane: 0, first_position: first, last_position: last }
    return encodeChunks(rows, cover, one.rowsMax).map((chunk) => Chunk.of(chunk))
  })
  const some = chunks.slice(0, one.merged * 2)
  return [...mergeChunks(some, one.rowsMax).map((chunk) => Chunk.of(chunk)), ...chunks.slice(some.length)]
}

/** The summaries of the spans with put events. */
function summariesOf(one: Lane, number: number): ChunkSummary[] {
  return spansOf(one).flatMap(({ first, last, positions }) => {
    const puts = positions
      .filter((position) => one.drafts[position]!.isPut)
      .map((position) => rowOf(one.drafts[position]!, position).received_at)
    if (puts.length === 0) return []
    const summary: Partial<ChunkSummary> = {
      lane: number,
      first_position: first,
      last_position: last,
      part: 0,
      puts: { rows: puts.length, last_received: Math.max(...puts) },
    }
    return [summary as ChunkSummary]
  })
}

interface Placed {
  readonly lane: number
  readonly place: number
  /** the latest receipt in the lane up to the event */
  readonly received: number
}

function placed(lanes: readonly Lane[]): Placed[] {
  return lanes.flatMap(({ drafts }, number) => {
    let received = 0
    return drafts.map(rowOf).flatMap(({ event, position, index, received_at }): Placed[] => {
      if (!('payload' in event)) return []
      received = Math.max(received, received_at)
      return [{ lane: number, place: position * limits.eventsPerBatchMax + index, received }]
    })
  })
}

it(
  'a chunk returns its put events by their place, with payload and time as they were sent, and how many it has',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(lane, (one) => {
        const rows = one.drafts.map(rowOf)
        const chunks = chunksOf(one)
        const found = chunks.flatMap((chunk) => {
          const { places, received, rows: own } = putPlaces(chunk)
          expect([...places]).toEqual([...places].sort((a, b) => a - b))
          expect(chunk.summary.puts?.rows ?? 0).toBe(places.length)
          expect(lastReceived([chunk.summary])).toBe(Math.max(0, ...received))
          const read = putReader(chunk)
          return [...own].map((row, i) => ({ place: places[i]!, received: received[i]!, ...read(row) }))
        })
        const expected = rows.flatMap(({ event, position, index, received_at }) => {
          if (event.type !== 'custom' || event.payload === undefined) return []
          const { event_id, timestamp, timestamp_ns, name, payload } = event
          const place = position * limits.eventsPerBatchMax + index
          return [{ place, received: received_at, event_id, timestamp, timestamp_ns, name, payload }]
        })
        expect(found.sort((a, b) => a.place - b.place)).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  },
)

it('skipping whole chunks leads to the same event as skipping one by one', () => {
  const lanes = fc.array(lane, { minLength: 1, maxLength: 4 })
  let passed = 0
  fc.assert(
    fc.property(lanes, fc.nat({ max: 100 }), fc.nat({ max: 90 }), (some, skip, end) => {
      const before = T0 + end
      const summaries = some.map(summariesOf)
      const order = placed(some).sort((a, b) => a.received - b.received || a.lane - b.lane || a.place - b.place)
      const final = order.filter(({ received }) => received < before)
      const start = skipPuts(summaries, skip, before)
      const rest = final.filter(({ lane, place }) => place >= start.places[lane]!)
      expect(rest.slice(start.skip)).toEqual(final.slice(skip))
      if (start.skip < skip) passed++
    }),
    { numRuns: 500 },
  )
  expect(passed).toBeGreaterThan(10)
})
