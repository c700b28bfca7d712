import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { decodeEnvelope, encodeEnvelope } from '@hopper/contracts'
import { ForgottenEvents, placeOf, withOverrides, type EventLog } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { CountedLog, deviceIn, ownEvent, putEvent, type Sent } from '../testing/counted-log.ts'
import { decideToForget } from '../testing/decide-to-forget.ts'
import { openStream, type Stream, type ReceivedEvent } from '../testing/event-source.fixture.ts'
import { apiOver, keys, LANES, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let hopper: Installation
let log: CountedLog
const T0 = Date.UTC(2026, 2, 30, 9)
const opened: Stream[] = []
const apis: NestFastifyApplication[] = []
let number = 0

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  log = new CountedLog(hopper.storage)
  await hopper.app.listen(0, '127.0.0.1')
})
afterAll(async () => {
  for (const stream of opened) stream.leave()
  for (const api of apis) await api.close()
  await hopper.close()
})
beforeEach(() => {
  for (const stream of opened.splice(0)) stream.leave()
})

async function open(path: string, headers: Record<string, string> = {}, api = hopper.app): Promise<Stream> {
  const stream = await openStream(`${await api.getUrl()}${path}`, { 'x-api-key': keys.read, ...headers })
  opened.push(stream)
  return stream
}

const put = (id: string, lane = number++ % LANES, payload = '{}'): Sent => ({
  device: deviceIn('shop', lane, LANES, number++),
  received_at: T0,
  events: [putEvent(id, payload, T0)],
})
const idsOf = (received: readonly ReceivedEvent[]): unknown[] =>
  received.map(({ data }) => (JSON.parse(data) as { message_id: string }).message_id)

test('a stream has each PUT event of its app once it is counted, in the form of GET /events', async () => {
  const stream = await open('/eventstream')
  expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const sent = [
    put('one', 0, '{"a": 1.0,\n"b":\r\n2}'),
    { device: 'phone', received_at: T0, events: [ownEvent('tracked', T0)] },
    { ...put('two', 0, '"text"'), events: [putEvent('two', '"text"', T0, '1774861200000123456')] },
  ]
  const appended = await log.append('shop', sent)
  await log.add('blog', [put('foreign')])
  await log.count('shop', sent, appended)
  await log.add('shop', [{ ...sent[0]!, events: [putEvent('one', '"again"', T0), putEvent('three', 'null', T0)] }])
  expect(await stream.events(3)).toEqual([
    {
      name: 'message',
      data: `{"message_id":"one","timestamp":${T0},"event_type":"order placed","payload":{"a": 1.0,\n"b":\n2}}`,
    },
    {
      name: 'message',
      data: '{"message_id":"two","timestamp":"1774861200000123456","event_type":"order placed","payload":"text"}',
    },
    { name: 'message', data: `{"message_id":"three","timestamp":${T0},"event_type":"order placed","payload":null}` },
  ])
})

test('all events of an app are streamed without bots, named on the path of the app', async () => {
  const [root, live] = [await open('/database_events'), await open('/api/v1/apps/shop/live')]
  await log.add('shop', [
    { device: 'phone', received_at: T0, events: [ownEvent('a', T0), ownEvent('a', T0), ownEvent('b', T0)] },
    { device: 'phone', received_at: T0, events: [ownEvent('bot', T0)], fate: 'bot' },
    { device: 'phone', received_at: T0, events: [putEvent('c', '1', T0)], fate: 'late' },
  ])
  for (const [stream, name] of [
    [root, 'message'],
    [live, 'event'],
  ] as const) {
    const received = await stream.events(3)
    const seen = received.map(({ data }) => JSON.parse(data) as { event_id: string })
    expect(received.map((each) => each.name)).toEqual([name, name, name])
    expect(seen).toMatchObject([
      { event_id: 'a', fate: 'accepted', index: 0, device_id: 'phone', context: { device: 'server' } },
      { event_id: 'b', index: 2 },
      { event_id: 'c', payload: '1', fate: 'late' },
    ])
  }
})

test('the newest events, of bots as well, are continued by the stream without gap or repetition', async () => {
  const at = (id: string, minute: number, fate?: 'bot' | 'late'): Sent => ({
    device: deviceIn('shop', number++ % LANES, LANES, number++),
    received_at: T0,
    events: [ownEvent(id, T0 + minute * 60_000)],
    ...(fate && { fate }),
  })
  await log.add('shop', [at('n3', 3), at('n1', 1), at('n2', 2, 'bot')])
  const uncounted = [at('n5', 5), at('n4', 4)]
  const appended = await log.append('shop', uncounted)
  const page = (await hopper.get('/api/v1/apps/shop/events?order=-timestamp&limit=3')).body as {
    events: { event_id: string; fate: string }[]
    follow: string
  }
  expect(page.events.map(({ event_id, fate }) => [event_id, fate])).toEqual([
    ['n3', 'accepted'],
    ['n2', 'bot'],
    ['n1', 'accepted'],
  ])
  await log.count('shop', uncounted, appended)
  const stream = await open('/api/v1/apps/shop/live?bots=1', { 'last-event-id': page.follow })
  await log.add('shop', [at('n0', 0, 'bot'), at('n6', 6)])
  const received = (await stream.events(4)).map(({ data }) => JSON.parse(data) as { event_id: string; fate: string })
  expect(received.map(({ event_id, fate }) => `${event_id} ${fate}`).sort()).toEqual([
    'n0 bot',
    'n4 accepted',
    'n5 accepted',
    'n6 accepted',
  ])
})

test('a stream resumes at another process, and after a restart, without gap or repetition', async () => {
  const first = await open('/eventstream')
  const begin = first.lastId()
  await log.add('shop', [
    put('r1'),
    put('r2'),
    { ...put('r3'), events: ['r3', 'r4', 'r5'].map((id) => putEvent(id, '1', T0)) },
  ])
  const all = idsOf(await first.events(5)) as string[]
  first.leave()

  // from every id that the stream has sent, at another process over the same storage
  const other = await apiOver(hopper.storage)
  apis.push(other)
  await other.listen(0, '127.0.0.1')
  const again = await open('/eventstream', { 'last-event-id': begin }, other)
  for (let count = 1; count <= all.length; count++) {
    expect(idsOf(await again.events(count)).slice(0, count)).toEqual(all.slice(0, count))
  }
  const middle = await open('/eventstream', {}, other)
  await log.add('shop', [{ ...put('s1'), events: ['s1', 's2', 's3'].map((id) => putEvent(id, '1', T0)) }, put('s4')])
  const ids = idsOf(await middle.events(4)) as string[]
  await other.close()
  apis.pop()
  await log.add('shop', [put('s5'), put('s1', 0)])

  const restarted = await apiOver(hopper.storage)
  apis.push(restarted)
  await restarted.listen(0, '127.0.0.1')
  const resumed = await open(`/eventstream?lastEventId=${begin}`, { 'last-event-id': middle.lastId() }, restarted)
  const asParameter = await open(`/eventstream?lastEventId=${begin}`, {}, restarted)
  await log.add('shop', [put('s6')])
  expect(idsOf(await resumed.events(2))).toEqual(['s5', 's6'])
  expect((idsOf(await asParameter.events(11)) as string[]).sort()).toEqual([...all, ...ids, 's5', 's6'].sort())
})

test('a stream resumes after each event, also between those of one message', async () => {
  const stream = await open('/eventstream')
  const ids = Array.from({ length: 6 }, (_, i) => `e${i}`)
  const events = ids.map((id) => putEvent(id, '1', T0))
  await log.add('shop', [
    { ...put('e'), events: events.slice(0, 4) },
    { ...put('e', 0), events: events.slice(4) },
  ])
  const places: string[] = []
  const order: unknown[] = []
  for (let count = 1; count <= ids.length; count++) {
    const received = await stream.events(count)
    // several may have come in one piece, of which only the last id is known
    if (received.length === count) places[count] = stream.lastId()
    order.push(...idsOf(received).slice(order.length))
  }
  const one = await open('/eventstream', { 'last-event-id': stream.lastId() })
  await log.add('shop', [put('e6')])
  expect(idsOf(await one.events(1))).toEqual(['e6'])
  for (const [count, id] of places.entries()) {
    if (id === undefined) continue
    const rest = await open('/eventstream', { 'last-event-id': id })
    expect(idsOf(await rest.events(ids.length - count + 1))).toEqual([...order.slice(count), 'e6'])
  }
})

test('the cursor of a page is where a stream may begin', async () => {
  await log.add('shop', [put('p1'), put('p2')])
  hopper.clock = T0 + 2_000
  const { headers } = await hopper.get('/events?limit=1000')
  hopper.clock = NOW
  const cursor = /start=(c[0-9a-z.]+)/.exec(String(headers['link']))![1]!
  const stream = await open(`/eventstream?lastEventId=${cursor}`)
  await log.add('shop', [put('p3')])
  expect(idsOf(await stream.events(1))).toEqual(['p3'])
})

test('events of a forgotten person are streamed no more, though they are cached and in the log', async () => {
  const resumed = (id: string): Promise<Stream> => open('/database_events', { 'last-event-id': id })
  const first = await open('/database_events')
  const begin = first.lastId()
  const device = deviceIn('shop', 0, LANES, number++)
  const sent = [
    { device, received_at: T0, events: ['f1', 'f2', 'f3'].map((id) => ownEvent(id, T0)) },
    { device: deviceIn('shop', 0, LANES, number++), received_at: T0, events: [ownEvent('f4', T0)] },
  ]
  const [{ position } = { position: 0 }] = await log.append('shop', sent).then(async (places) => {
    await log.count('shop', sent, places)
    return places
  })
  const seen = (received: readonly ReceivedEvent[]): unknown[] =>
    received
      .map(({ data }) => JSON.parse(data) as { event_id: string; index: number })
      .map((e) => [e.event_id, e.index])
  const all = [
    ['f1', 0],
    ['f2', 1],
    ['f3', 2],
    ['f4', 0],
  ]
  expect(seen(await first.events(4))).toEqual(all)
  expect(seen(await (await resumed(begin)).events(4))).toEqual(all)

  const ranges = [[placeOf(position, 0), placeOf(position, 2)] as const]
  await decideToForget(hopper.storage.registry, 'shop', { lane: 0, mark: position + 2, device, ranges })
  expect(seen(await (await resumed(begin)).events(2))).toEqual([
    ['f3', 2],
    ['f4', 0],
  ])

  // in standalone the message is then rewritten, and its other events keep their places
  const [message] = await hopper.storage.log.read(0, position, 1)
  const forgotten = await ForgottenEvents.read(hopper.storage.registry, 'shop')
  const value = encodeEnvelope(forgotten!.without(position, decodeEnvelope(message!.value), true))
  await hopper.storage.log.rewrite!(0, [{ position, value }])
  const other = await apiOver(hopper.storage)
  apis.push(other)
  await other.listen(0, '127.0.0.1')
  const elsewhere = await open('/database_events', { 'last-event-id': begin }, other)
  expect(seen(await elsewhere.events(2))).toEqual([
    ['f3', 2],
    ['f4', 0],
  ])
})

test('ids of another log, and positions that the log has no longer, are refused', async () => {
  for (const id of ['7', 'c1', 'c1.x!', 'c1.2.3', `c${'z'.repeat(30)}.0`]) {
    const { status, refusal } = await open('/eventstream', { 'last-event-id': id })
    expect([id, status, refusal]).toMatchObject([id, 400, { error: { code: 'HOP_PARAM_INVALID' } }])
  }
  const beyond = await open('/eventstream', { 'last-event-id': 'cfffffff.0' })
  expect([beyond.status, beyond.refusal]).toMatchObject([410, { error: { code: 'HOP_EVENTS_GONE' } }])
})

/** A log of which the beginning can be deleted, and that can be unavailable. */
function unsteady(stored: EventLog): { log: EventLog; starts: number[]; isUnavailable: boolean; refused: number } {
  const state = { log: stored, starts: new Array<number>(LANES).fill(0), isUnavailable: false, refused: 0 }
  state.log = withOverrides(stored, {
    starts: async () => state.starts,
    read: async (lane, from, limit, bytesMax) => {
      if (state.isUnavailable) throw new Error(`away ${++state.refused}`)
      return stored.read(lane, Math.max(from, state.starts[lane]!), limit, bytesMax)
    },
  })
  return state
}

test('a log that has deleted the next events ends the stream with an error, and refuses to resume it', async () => {
  const state = unsteady(hopper.storage.log)
  const api = await apiOver({ ...hopper.storage, log: state.log })
  apis.push(api)
  await api.listen(0, '127.0.0.1')
  const stream = await open('/eventstream', {}, api)
  const id = stream.lastId()
  const ends = await hopper.storage.log.ends()
  const sent = [put('g1', 0), put('g2', 0)]
  const appended = await log.append('shop', sent)
  state.starts = [ends[0]! + 1, 0]
  await log.count('shop', sent, appended)
  const [error] = await stream.events(1)
  expect([error!.name, JSON.parse(error!.data)]).toMatchObject(['error', { error: { code: 'HOP_EVENTS_GONE' } }])
  await expect(stream.events(2)).rejects.toThrow('ended')
  const again = await open('/eventstream', { 'last-event-id': id }, api)
  expect([again.status, again.refusal]).toMatchObject([410, { error: { code: 'HOP_EVENTS_GONE' } }])
})

test('a stream continues when the log was unavailable for a while', async () => {
  const state = unsteady(hopper.storage.log)
  const api = await apiOver({ ...hopper.storage, log: state.log })
  apis.push(api)
  await api.listen(0, '127.0.0.1')
  const stream = await open('/eventstream', {}, api)
  state.isUnavailable = true
  await log.add('shop', [put('w1')])
  await expect.poll(() => state.refused, { timeout: 10_000 }).toBeGreaterThan(0)
  state.isUnavailable = false
  expect(idsOf(await stream.events(1))).toEqual(['w1'])
})

test('a HEAD request for a stream takes no place', async () => {
  const url = await hopper.app.getUrl()
  for (let i = 0; i < 30; i++) {
    const { status } = await fetch(`${url}/eventstream`, { method: 'HEAD', headers: { 'x-api-key': keys.read } })
    expect([i, status]).toEqual([i, 200])
  }
  expect((await open('/eventstream')).status).toBe(200)
})

test('when a key opens a thousand streams, those within its share work and the others are refused', async () => {
  const streams: Stream[] = []
  for (let start = 0; start < 1_000; start += 100)
    streams.push(...(await Promise.all(Array.from({ length: 100 }, () => open('/eventstream')))))
  const taken = streams.filter(({ status }) => status === 200)
  const refused = streams.filter(({ status }) => status === 429)
  expect([taken.length, refused.length]).toEqual([25, 975])
  expect(new Set(refused.map(({ headers }) => headers.get('retry-after')))).toEqual(new Set(['1']))
  expect(refused.at(-1)!.refusal).toMatchObject({
    error: { code: 'HOP_SHARE', details: { limit: 'live_streams_per_caller', max: 25 } },
  })
  await log.add('shop', [put('t1')])
  for (const stream of taken) expect(idsOf(await stream.events(1))).toEqual(['t1'])
  const other = await open('/eventstream', { 'x-api-key': keys.blogRead })
  expect(other.status).toBe(200)
})
