import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Event } from '@hopper/contracts'
import { mergeChunks, Chunk } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { createLoginLink, ensureOwner } from '../index.ts'
import { CountedLog, deviceIn, ownEvent, putEvent, type Sent } from '../testing/counted-log.ts'
import { keys, LANES, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 120_000 })

let hopper: Installation
let log: CountedLog
const T0 = Date.UTC(2026, 2, 28, 9)
const blog = { authorization: `Bearer ${keys.blogRead}` }

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  log = new CountedLog(hopper.storage)
})
afterAll(() => hopper.close())

interface Page {
  readonly status: number
  readonly text: string
  readonly ids: readonly string[]
  /** the address in the header `Link` */
  readonly next: string | undefined
}

async function page(url: string, headers?: Record<string, string>): Promise<Page> {
  const { status, text, headers: sent } = await hopper.get(url, headers)
  const ids = status === 200 ? (JSON.parse(text) as { message_id: string }[]).map(({ message_id }) => message_id) : []
  return { status, text, ids, next: /^<([^>]*)>; rel="next"$/.exec((sent['link'] as string | undefined) ?? '')?.[1] }
}

/** Reads page by page as the links say, until a page is empty. */
async function walk(url: string, headers?: Record<string, string>): Promise<string[]> {
  const ids: string[] = []
  for (let next: string | undefined = url; next !== undefined;) {
    const read: Page = await page(next, headers)
    ids.push(...read.ids)
    next = read.next
  }
  return ids
}

const put = (lane: number, id: string, received_at: number, payload = '{}'): Sent => ({
  device: deviceIn('blog', lane, LANES, received_at),
  received_at,
  events: [putEvent(id, payload, received_at)],
})

test('events that came by PUT are answered byte for byte as they were sent', async () => {
  const payloads = ['{"a": 1.0,\n "b":[1e3,"\\u00e9"]}', '"plain \\"text\\""', 'null', '12345678901234567890', '"é  "']
  const events = payloads.map((payload, i) =>
    putEvent(`m${i}`, payload, T0 + i, i === 3 ? `${T0 + 3}123456` : undefined),
  )
  await log.add('shop', [
    { device: 'phone', received_at: T0, events: [ownEvent('tracked', T0)] },
    ...events.map((event, i) => ({ device: `of ${i}`, received_at: T0 + i, events: [event] })),
    { device: 'of 1', received_at: T0 + 10, events: [putEvent('m1', '"sent again"', T0 + 1)] },
    { device: 'bot', received_at: T0 + 11, events: [putEvent('m9', '{}', T0)], fate: 'bot' },
  ])
  const { status, text, headers } = await hopper.get('/events')
  const item = (id: string, time: number | string, payload: string): string =>
    `{"message_id":"${id}","timestamp":${JSON.stringify(time)},"event_type":"order placed","payload":${payload}}`
  const expected = payloads.map((payload, i) => item(`m${i}`, i === 3 ? `${T0 + 3}123456` : T0 + i, payload))
  expect([status, text]).toEqual([200, `[${[...expected, item('m9', T0, '{}')].join(',')}]`])
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-hopper-complete-to': String(NOW),
    link: expect.stringMatching(/^<\/events\?start=c[0-9a-z.]+>; rel="next"$/),
  })
  const same = await hopper.get('/events', {
    authorization: `Bearer ${keys.read}`,
    'if-none-match': String(headers['etag']),
  })
  expect([same.status, same.text]).toEqual([304, ''])
})

test('an index and a cursor lead through the same order, in pages of any size', async () => {
  const order = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  await log.add('blog', [
    put(1, 'c', T0 + 30),
    put(0, 'a', T0 + 10),
    put(1, 'e', T0 + 40),
    put(0, 'b', T0 + 20),
    put(0, 'd', T0 + 30 + 5),
    // received before the one in front of it in its lane, so it comes right after that
    put(1, 'f', T0 + 25),
    put(0, 'g', T0 + 50),
  ])
  expect((await page('/events', blog)).ids).toEqual(order)
  for (let start = 0; start <= order.length + 1; start++) {
    const found = await page(`/events?start=${start}&limit=3`, blog)
    expect([start, found.ids]).toEqual([start, order.slice(start, start + 3)])
    expect(await walk(`/events?start=${start}&limit=2`, blog)).toEqual(order.slice(start))
  }
  const all = await page('/events?limit=7', blog)
  const after = await page(all.next!, blog)
  expect([after.ids, after.next]).toEqual([[], undefined])
  await log.add('blog', [put(1, 'h', T0 + 60)])
  expect((await page(all.next!, blog)).ids).toEqual(['h'])
  expect((await page('/events?start=7', blog)).ids).toEqual(['h'])
})

test('no index shifts while events arrive in all lanes, chunks are merged, and receipts are out of order', async () => {
  let [now, seed] = [T0 + 1_000, 7]
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  let known = (await page('/events?limit=1000', blog)).ids
  let followed = (await page('/events?limit=1000', blog)).next!
  let added = 0
  for (let round = 0; round < 25; round++) {
    const sent = Array.from({ length: 1 + random(6) }, (): Sent => {
      now += random(3)
      // received up to half a second before others that are in the log already
      return put(random(LANES), `r${added++}`, now - random(500))
    })
    now += 500
    await log.add('blog', sent)
    // an append takes less than a second, however many readers wait for it
    hopper.clock = now + 1_001
    const { ids } = await page('/events?limit=1000', blog)
    expect(ids.slice(0, known.length)).toEqual(known)
    const start = random(known.length)
    expect((await page(`/events?start=${start}&limit=4`, blog)).ids).toEqual(ids.slice(start, start + 4))
    const tail = await page(followed, blog)
    expect(tail.ids).toEqual(ids.slice(known.length))
    followed = tail.next ?? followed
    known = ids
    if (round % 8 === 5) await mergeAll()
  }
  expect(known).toHaveLength(8 + added)
  expect(await walk('/events?limit=11', blog)).toEqual(known)
  hopper.clock = NOW
})

async function mergeAll(): Promise<void> {
  const archive = hopper.storage.archive!
  for (let lane = 0; lane < LANES; lane++) {
    const listed = await archive.list({ app: 'blog', from: 0, to: Number.MAX_SAFE_INTEGER, lane })
    const chunks = await Promise.all(
      listed.map(async (summary) => {
        const cells = await archive.columns(summary, Object.keys(summary.columns))
        return new Chunk(summary, (name) => cells.get(name))
      }),
    )
    const lease = await hopper.storage.lanes.acquire(lane, 'test')
    await archive.replace(lease, listed, mergeChunks(chunks))
    await hopper.storage.lanes.release(lease)
  }
}

test('an event of the last second is answered once its place is final, and not before', async () => {
  const received = NOW - 300
  await log.add('foreign', [{ device: 'x', received_at: received, events: [putEvent('young', '1', received)] }])
  const key = await hopper.send(
    'POST',
    '/api/v1/apps/foreign/keys',
    { power: 'read' },
    {
      authorization: `Bearer ${keys.otherAdmin}`,
    },
  )
  const headers = { authorization: `Bearer ${(key.body as { key: string }).key}` }
  // the clock of the installation is stopped, so its place does not become final
  expect((await page('/events', headers)).ids).toEqual([])
  const events = page('/events', headers)
  hopper.clock = NOW + 800
  expect((await events).ids).toEqual(['young'])
  hopper.clock = NOW
})

test('a page reads no chunk that ends before its cursor', async () => {
  const all = await page('/events?limit=1000', blog)
  await log.add('blog', [put(0, 'last', NOW - 5_000)])
  const read: string[] = []
  const archive = hopper.storage.archive!
  const columns = archive.columns.bind(archive)
  archive.columns = (chunk, names) => {
    read.push(`${chunk.lane}/${chunk.first_position}`)
    return columns(chunk, names)
  }
  expect((await page(all.next!, blog)).ids).toEqual(['last'])
  archive.columns = columns
  expect(new Set(read).size).toBe(1)
})

test('only a read key has an app at the root; limits and cursors are checked', async () => {
  await ensureOwner(hopper.storage.registry, 'acme')
  const link = await createLoginLink({
    registry: hopper.storage.registry,
    organization: 'acme',
    member: 'owner',
    publicUrl: 'http://127.0.0.1:8080',
    now: NOW,
  })
  const token = new URL(link).searchParams.get('token')
  const { headers } = await hopper.send('POST', '/login', { token })
  const cookie = (headers['set-cookie'] as string[]).map((each) => each.split(';')[0]!).join('; ')
  for (const path of ['/events', '/eventstream', '/database_events', '/session/x']) {
    const ask = async (sent: Record<string, string>): Promise<unknown> => {
      const { status, body } = await hopper.get(path, sent)
      const { code, message } = (body as { error: { code: string; message: string } }).error
      return [status, code, message.includes('read key of an app')]
    }
    expect(await ask({ cookie })).toEqual([400, 'HOP_PARAM_INVALID', true])
    expect(await ask({ 'x-api-key': keys.admin })).toEqual([400, 'HOP_PARAM_INVALID', true])
    expect(await ask({ 'x-api-key': keys.write })).toEqual([403, 'HOP_KEY_POWER', false])
    expect(await ask({})).toEqual([401, 'HOP_LOGIN_REQUIRED', false])
  }
  expect((await page('/events?limit=1')).ids).toEqual(['m0'])
  expect((await page('/events?limit=1', { 'x-api-key': keys.read })).ids).toEqual(['m0'])
  for (const query of ['limit=0', 'limit=1001', 'start=-1', 'start=c1', 'start=cx.y.z', 'offset=1'])
    expect([query, (await page(`/events?${query}`)).status]).toEqual([query, 400])
})

test('a session has its marked start and end, and its other events by time', async () => {
  const mark = (type: string): Partial<Event> => ({ data: { session_message: type } })
  const eventOf = (id: string, time: number, name: string, type: string): Event =>
    ownEvent(id, T0 + time, {
      session_id: 'd9428888-122b-11e1-b85c-61cd3cbb3210',
      name,
      ...mark(type),
    })
  const device = deviceIn('shop', 1, LANES)
  await log.add('shop', [
    {
      device,
      received_at: T0,
      events: [eventOf('s3', 50, 'buy', 'EVENT'), eventOf('s1', 10, 'session_start', 'SESSION_START')],
    },
    { device, received_at: T0, events: [eventOf('s2', 30, 'look', 'EVENT'), ownEvent('s0', T0 + 20)] },
    { device: deviceIn('shop', 0, LANES), received_at: T0, events: [ownEvent('s5', T0 + 40)] },
    { device: deviceIn('shop', 0, LANES), received_at: T0, events: [eventOf('s6', 35, 'other device', 'EVENT')] },
    { device: 'crawler', received_at: T0, events: [eventOf('s7', 36, 'bot', 'EVENT')], fate: 'bot' },
  ])
  const url = '/session/d9428888-122b-11e1-b85c-61cd3cbb3210'
  const session = {
    type: 'SESSION',
    start: T0 + 10,
    end: T0 + 50,
    children: [
      { type: 'EVENT', timestamp: T0 + 30, name: 'look' },
      { type: 'EVENT', timestamp: T0 + 35, name: 'other device' },
      { type: 'EVENT', timestamp: T0 + 50, name: 'buy' },
    ],
  }
  expect((await hopper.get(url)).body).toEqual(session)
  hopper.clock = T0 + 50 + 30 * 60_000 - 1
  expect((await hopper.get(url)).body).toEqual({ ...session, end: null })
  await log.add('shop', [{ device, received_at: T0, events: [eventOf('s4', 45, 'session_end', 'SESSION_END')] }])
  expect((await hopper.get(url)).body).toEqual({ ...session, end: T0 + 45 })
  hopper.clock = NOW
  const { status, body } = await hopper.get('/session/unknown')
  expect([status, body]).toMatchObject([404, { error: { code: 'HOP_NOT_FOUND' } }])
  expect((await hopper.get(url, blog)).status).toBe(404)
})

test('a session of a tracker begins with its first event, and more events than can be answered are cut', async () => {
  const click: Event = {
    type: 'click',
    event_id: 'click',
    timestamp: T0 + 5,
    seq: 1,
    session_id: 'tracked',
    target: '//a',
    elapsed_time: 1,
    current_url: '/',
  }
  await log.add('shop', [{ device: 'pad', received_at: T0, events: [click] }])
  expect((await hopper.get('/session/tracked')).body).toEqual({
    type: 'SESSION',
    start: T0 + 5,
    end: T0 + 5,
    children: [{ type: 'EVENT', timestamp: T0 + 5, name: 'click' }],
  })
  const many = Array.from({ length: 21 }, (_, batch): Sent => ({
    device: 'busy',
    received_at: T0,
    events: Array.from({ length: 500 }, (_, i) =>
      ownEvent(`b${batch}-${i}`, T0 + 20_000 - batch * 500 - i, { session_id: 'busy' }),
    ),
  }))
  await log.add('shop', many)
  const { body } = await hopper.get('/session/busy')
  const { children, truncated, start } = body as {
    children: { timestamp: number }[]
    truncated: boolean
    start: number
  }
  expect([children.length, truncated, start]).toEqual([10_000, true, T0 + 20_000 - 10_499])
  expect(children.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 10_000 }, (_, i) => start + i))
})
