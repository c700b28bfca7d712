import { timeZone, type ArchivedEvent, type Context, type Event, type LossRequest } from '@hopper/contracts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import type { LaneInput } from '../funnel/scan/unit-scan.ts'
import { spansOf } from '../scan/device-cursor.ts'
import { identitiesOf } from '../scan/identities.ts'
import { lossOf, queryLoss } from './loss-scan.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const timezone = 'Europe/Berlin'
/** midnight in Berlin */
const T0 = Date.UTC(2026, 5, 9, 22)
const context = { timezone, completeTo: T0 + 30 * DAY_MS }
const request: LossRequest = { from: T0, to: T0 + 3 * DAY_MS, by: 'day', filters: [] }
const day = (number: number): string => timeZone(timezone).dateOf(T0 + number * DAY_MS)

/** An event of a session as its tracker has recorded it. */
interface Recorded {
  readonly device: string
  readonly session?: string
  readonly time: number
  readonly seq: number
  readonly browser?: string
  readonly country?: string
  readonly isNumbered?: boolean
  readonly bot?: boolean
  readonly page?: { readonly from: string; readonly to: string; readonly elapsed: number }
}

function archived(sent: Recorded, position: number): ArchivedEvent {
  const { device, session, time, seq, page, browser = 'Firefox', country, isNumbered = true, bot } = sent
  const shared = {
    event_id: `e${position}`,
    timestamp: time,
    seq,
    ...(session === undefined ? {} : { session_id: session }),
  }
  const event: Event = page
    ? { ...shared, type: 'url_change', from: page.from, to: page.to, elapsed_time: page.elapsed }
    : { ...shared, type: 'custom', name: 'n' }
  const sender: Context = {
    device: 'desktop',
    browser,
    os: 'Linux',
    ...(country === undefined ? {} : { country }),
    ...(isNumbered && { numbered: true }),
    ...(bot && { bot: 'webdriver' }),
  }
  return { event, device_id: device, user: '', context: sender, received_at: time, position, index: 0 }
}

/** Archives events in the order of their arrival, as spans of at most `rows` events. */
function lanesOf(events: readonly Recorded[], rows = 7): LaneInput[] {
  const chunks: Chunk[] = []
  const all = events.map(archived)
  for (let start = 0; start < all.length; start += rows) {
    const some = all.slice(start, start + rows)
    const cover = {
      app: 'a',
      date: '2026-06-10',
      lane: 0,
      first_position: start,
      last_position: start + some.length - 1,
    }
    chunks.push(...encodeChunks(some, cover).map((chunk) => Chunk.of(chunk)))
  }
  return [{ lane: 0, spans: spansOf(chunks), identities: identitiesOf('a', []) }]
}

const lossIn = (events: readonly Recorded[], query: Partial<LossRequest> = {}): ReturnType<typeof queryLoss> =>
  queryLoss({ ...request, ...query }, context, lanesOf(events))

const session = (device: string, start: number, seqs: readonly number[], more: Partial<Recorded> = {}): Recorded[] =>
  seqs.map((seq) => ({ device, session: `s-${device}`, time: start + seq * MINUTE_MS, seq, ...more }))

it(
  'measures exactly the events that were dropped before the last received one of their session',
  { timeout: 60_000 },
  () => {
    const life = fc.record({
      device: fc.nat(3),
      /** minutes; the range begins at 0, and sessions begin up to a day before and after it */
      start: fc.integer({ min: -23 * 60, max: 4 * 24 * 60 }),
      isDropped: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
      /** minutes between its events */
      pace: fc.constantFrom(0, 1, 29),
      browser: fc.constantFrom('Firefox', 'Chrome'),
      country: fc.constantFrom(undefined, 'DE'),
    })
    const by = fc.constantFrom('day' as const, 'browser' as const, 'country' as const)
    fc.assert(
      fc.property(fc.array(life, { maxLength: 12 }), by, fc.infiniteStream(fc.nat()), (lives, by, shuffle) => {
        const arrived: Recorded[] = []
        const wanted = new Map<string, { sessions: number; expected: number; received: number }>()
        for (const [number, { device, start, isDropped, pace, browser, country }] of lives.entries()) {
          const recorded = isDropped.map((_, seq) => ({
            device: `d${device}`,
            session: `s${number}`,
            time: T0 + (start + seq * pace) * MINUTE_MS,
            seq,
            browser,
            ...(country === undefined ? {} : { country }),
          }))
          const received = recorded.filter(({ seq }) => !isDropped[seq])
          arrived.push(...received)
          const [first, last] = [received[0], received.at(-1)]
          if (!first || first.time < request.from || first.time >= request.to) continue
          // the tail cannot be known: nothing arrives after it
          const knowable = recorded.filter(({ seq }) => seq <= last!.seq)
          const value =
            by === 'browser'
              ? browser
              : by === 'country'
                ? (country ?? 'unknown')
                : timeZone(timezone).dateOf(first.time)
          const row = wanted.get(value) ?? { sessions: 0, expected: 0, received: 0 }
          row.sessions++
          row.expected += knowable.length
          row.received += received.length
          wanted.set(value, row)
        }
        const order = arrived.map((event) => ({ event, at: shuffle.next().value as number }))
        const late = order.sort((a, b) => a.at - b.at).map(({ event }) => event)
        const { rows, open_sessions } = lossIn(late, { by })
        expect(open_sessions).toBe(0)
        expect(
          new Map(rows.map(({ value, sessions, expected, received }) => [value, { sessions, expected, received }])),
        ).toEqual(wanted)
        for (const { expected, received, lost_share } of rows) expect(lost_share).toBe((expected - received) / expected)
      }),
      { numRuns: 100 },
    )
  },
)

describe('gaps that are not a loss', () => {
  const whole = { sessions: 1, expected: 3, received: 3, lost_share: 0 }

  it.each<[string, Recorded[]]>([
    ['an event that arrives late', session('a', T0, [0, 2, 1])],
    ['an event that came twice under two ids, or in two tabs under one number', session('a', T0, [0, 1, 1, 2])],
    ['a session that continues after midnight', session('a', T0 + DAY_MS - MINUTE_MS, [0, 1, 2])],
    ['a session that continues after the range', session('a', T0 + 3 * DAY_MS - MINUTE_MS, [0, 1, 2])],
    [
      'events of a server, numbered by their place in the request',
      [
        ...session('a', T0, [0, 1, 2]),
        ...session('a', T0, [0, 7], { isNumbered: false }),
        ...session('b', T0, [5, 9], { isNumbered: false }),
      ],
    ],
    ['numbers without a session', [...session('a', T0, [0, 1, 2]), { device: 'b', time: T0, seq: 9 }]],
    ['a machine', [...session('a', T0, [0, 1, 2]), ...session('b', T0, [4, 9], { bot: true })]],
    [
      'a session that began before the range',
      [...session('a', T0, [0, 1, 2]), ...session('b', T0 - 2 * MINUTE_MS, [0, 3, 9])],
    ],
    ['a leap that no tracker makes', session('a', T0, [0, 1]).concat({ ...session('a', T0, [2])[0]!, seq: 2 ** 50 })],
  ])('%s', (_, events) => {
    expect(lossIn(events).rows).toMatchObject([whole])
  })
})

it('knows that events before the first received one were lost', () => {
  expect(lossIn(session('a', T0, [2, 3])).rows).toMatchObject([{ value: day(0), expected: 4, received: 2 }])
})

it('leaves out sessions that may still continue', () => {
  const now = { ...context, completeTo: T0 + 31 * MINUTE_MS }
  const events = [...session('a', T0, [0]), ...session('b', T0, [0, 2])]
  expect(queryLoss(request, now, lanesOf(events))).toMatchObject({
    open_sessions: 1,
    rows: [{ sessions: 1, expected: 1, received: 1 }],
  })
})

it('counts the sessions with a matching event, with all their events', () => {
  const events = [
    ...session('a', T0, [0, 2], { browser: 'Chrome' }),
    ...session('b', T0, [0, 1, 2, 3], { browser: 'Firefox' }),
  ]
  const filters = [{ type: 'eq' as const, key: 'browser', value: 'Chrome' }]
  expect(lossIn(events, { filters }).rows).toMatchObject([{ sessions: 1, expected: 3, received: 2 }])
})

it('counts pages whose end never arrived: the last of each tab, and those before a lost move', () => {
  const page = (from: string, to: string, elapsed: number): NonNullable<Recorded['page']> => ({ from, to, elapsed })
  const move = (seq: number, from: string, to: string, elapsed: number): Recorded => ({
    ...session('a', T0, [seq])[0]!,
    page: page(from, to, elapsed),
  })
  const all = [move(0, '', '/a', 0), move(1, '/a', '/b', 5), move(2, '/b', '/c', 5), move(3, '', '/second-tab', 0)]
  expect(lossIn(all).rows).toMatchObject([{ pages: 4, unclosed_pages: 2, lost_share: 0 }])
  expect(lossIn([all[0]!, all[3]!]).rows).toMatchObject([{ pages: 2, unclosed_pages: 2, expected: 4, received: 2 }])
  // leaving the site enters no page, and ends the last one also when it was not visible
  expect(lossIn([...all, move(4, '/c', '', 5), move(5, '/second-tab', '', 0)]).rows).toMatchObject([
    { pages: 4, unclosed_pages: 0, expected: 6 },
  ])
})

it('states the error as half of the Wilson score interval of 95 %', () => {
  // Values of R's binom::binom.wilson, and of prop.test(correct = FALSE).
  expect(lossOf(0, 0)).toEqual({ lost_share: null, error: null })
  expect(lossOf(0, 10).error).toBeCloseTo(0.2775328 / 2, 6)
  expect(lossOf(5, 10).error).toBeCloseTo((0.7634069 - 0.2365931) / 2, 6)
  expect(lossOf(10, 1_000).error).toBeLessThan(lossOf(10, 500).error!)
})
