import type { App, Envelope, Event, EventsAnswer } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { browser, openIngest } from './ingest-server.fixture.ts'
import type { Supplement } from './batch/incoming.ts'
import { OfflineIntake, type OfflineEvent, type TakenOffline } from './offline-intake.ts'

const app: App = { id: 'shop', organization: 'acme', name: 'shop', timezone: 'UTC', origins: [], keep_parameters: [] }
const receivedAt = Date.parse('2026-01-31T12:00:00Z')

function take(events: readonly OfflineEvent[]): TakenOffline {
  return new OfflineIntake().take({ app, receivedAt, historical: true, events, isUnicode: false, small: false })
}

const eventsOf = (envelopes: readonly Envelope[]): (Event & { device_id: string })[] =>
  envelopes.flatMap(({ device_id, events }) => events.map((event) => ({ ...event, device_id })))

it('stores, repairs and rejects exactly what POST /v1/events does', async () => {
  const timestamp = receivedAt - 1_000
  const events: unknown[] = [
    { type: 'custom', name: 'n', data: { a: null, b: { c: [1] }, d: 'x'.repeat(3_000) }, device_id: 'd', timestamp },
    {
      type: 2,
      from: '',
      to: 'https://shop.example/a?utm_source=ads&secret=1',
      elapsed_time: '7',
      device_id: 'd',
      timestamp,
    },
    { type: 'identify', user_id: 42, timestamp: '2026-01-31 11:00:00' },
    { type: 'custom', name: 'n', device_id: '\ud800', timestamp, unknown: 1 },
    { type: 'custom', device_id: 'd', timestamp },
    { type: 'custom', name: 'n', timestamp },
    { type: 'custom', name: 'n', device_id: 'd', timestamp: 1 },
    { type: 'nothing', device_id: 'd', timestamp },
    [],
    'text',
  ]
  await using ingest = await openIngest({ clock: () => receivedAt })
  const { body } = await ingest.post({ events })
  const { rejected, changed_total = 0, changed = [] } = body as EventsAnswer
  const offline = take(events.map((event) => ({ event })))
  const byId = (list: readonly Event[]): Event[] => list.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1))
  expect(byId(eventsOf(offline.envelopes))).toEqual(byId(eventsOf(await ingest.envelopes())))
  expect(offline.rejected).toEqual(rejected)
  expect(offline.changed).toBe(Math.max(changed_total, changed.length))
  expect(offline.envelopes.every(({ context }) => context.historical === true)).toBe(true)
})

it('needs a time: the time of receipt would change when the event is sent again', () => {
  const { rejected } = take([{ event: { type: 'custom', name: 'n', device_id: 'd' } }])
  expect(rejected).toMatchObject([{ index: 0, reason: 'missing_field' }])
})

it('keeps the events of a device in their order, with the context of each', () => {
  const supplements: (Supplement | undefined)[] = [
    undefined,
    { userAgent: browser },
    {
      agent: { device: 'mobile', browser: 'B', os: 'O' },
      referrer: 'https://news.example/a?b',
      utm: { utm_source: 'ads', other: 'x' },
    },
  ]
  const events = Array.from({ length: 60 }, (_, n) => ({
    event: { type: 'custom', name: 'n', event_id: `e${n}`, device_id: `d${n % 4}`, timestamp: receivedAt - 1 },
    supplement: supplements[(n * 7 + (n >> 2)) % 3],
  }))
  const { envelopes } = take(events)
  for (const device of ['d0', 'd1', 'd2', 'd3']) {
    const taken = eventsOf(envelopes.filter(({ device_id }) => device_id === device))
    expect(taken.map(({ event_id }) => event_id)).toEqual(
      events.flatMap(({ event }) => (event.device_id === device ? [event.event_id] : [])),
    )
  }
  const contexts = [
    { device: 'unknown', browser: 'unknown', os: 'unknown' },
    { device: 'desktop', browser: 'Chrome', os: 'Linux' },
    {
      device: 'mobile',
      browser: 'B',
      os: 'O',
      channel: 'campaign',
      referrer: 'news.example/a',
      utm: { utm_source: 'ads' },
    },
  ]
  for (const { context, events: own } of envelopes)
    for (const { event_id } of own)
      expect(context).toEqual({
        ...contexts[supplements.indexOf(events[Number(event_id.slice(1))]!.supplement)],
        historical: true,
      })
})
