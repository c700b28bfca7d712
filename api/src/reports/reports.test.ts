import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

let hopper: Installation
const range = 'from=2026-03-28&to=2026-03-30'
const at = (path: string, query = range): string => `/api/v1/apps/shop/${path}?${query}`
const counter = (table: string, date: string, rows: [(string | number)[], number[]][], app = 'shop'): never =>
  ({ table, app, date, from: -1, to: 5, rows: rows.map(([key, deltas]) => ({ key, deltas })) }) as never
const visit = (table: string, date: string, rows: [(string | number)[], string, string][], app = 'shop'): never =>
  ({ table, app, date, rows: rows.map(([key, user, device]) => ({ key, visitor: { user, device } })) }) as never

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const add = "//*[@id='add']"
  await hopper.fill({
    lane: 0,
    visitors: [
      visit('stage_users_by_date', '2026-03-28', [
        [['checkout', 1], 'ann', 'd1'],
        [['checkout', 1], '', 'd2'],
        [['checkout', 2], 'ann', 'd1'],
        [['checkout', 9], '', 'd2'],
      ]),
      visit('stage_users_by_date', '2026-03-29', [[['checkout', 1], 'ann', 'd1']]),
      visit('stage_edges_by_date', '2026-03-28', [
        [['checkout', -1, 1], 'ann', 'd1'],
        [['checkout', 1, 2], 'ann', 'd1'],
        [['checkout', -1, 9], '', 'd2'],
      ]),
      visit('users_by_date', '2026-03-28', [
        [[10], 'ann', 'd1'],
        [[10], '', 'd2'],
      ]),
      visit('users_by_date', '2026-03-29', [[[22], 'ann', 'd1']]),
      visit('agents_by_date', '2026-03-28', [
        [['browser', 'Chrome'], 'ann', 'd1'],
        [['browser', '=cmd()'], '', 'd2'],
        [['os', 'Linux'], '', 'd2'],
      ]),
      visit('users_by_date', '2026-03-30', [[[0], 'kay', 'k1']], 'blog'),
    ],
    counters: [
      counter('stage_time_by_date', '2026-03-28', [
        [
          ['checkout', 1],
          [3000, 2],
        ],
      ]),
      counter('element_actions_by_date', '2026-03-28', [
        [[add], [3, 600, 1, 500, 4]],
        [['//i'], [0, 0, 1, 50, 1]],
      ]),
      counter('element_durations_by_date', '2026-03-28', [
        [[add, 'hover-then-leave', 8], [3]],
        [[add, 'hover-then-clicked', 12], [1]],
      ]),
      counter('page_views_by_date', '2026-03-28', [
        [['shop.example/home'], [4, 9000, 3]],
        [['shop.example/end'], [1, 0, 0]],
      ]),
      counter('page_views_by_date', '2026-03-29', [[['shop.example/end'], [5, 0, 0]]]),
      counter('clicks_by_date', '2026-03-28', [
        [
          ['shop.example/home', '//a'],
          [2, 300],
        ],
      ]),
      counter('activity_by_date', '2026-03-28', [[[10], [7, 4]]]),
      counter('activity_by_date', '2026-03-29', [[[22], [2, 1]]]),
      counter('activity_by_date', '2026-03-30', [[[0], [1, 1]]], 'blog'),
      counter('fates_by_date', '2026-03-28', [
        [['accepted', 'new'], [9]],
        [['duplicate', 'repeated_id'], [2]],
      ]),
    ],
  })
  // second lane: the same person on another device
  await hopper.fill({
    lane: 1,
    visitors: [
      visit('stage_users_by_date', '2026-03-28', [[['checkout', 1], 'ann', 'd3']]),
      visit('users_by_date', '2026-03-28', [[[11], 'ann', 'd3']]),
    ],
    counters: [counter('page_views_by_date', '2026-03-28', [[['shop.example/home'], [1, 0, 0]]])],
  })
})
afterAll(() => hopper.close())

const answer = async (path: string, query = range): Promise<Record<string, unknown>> => {
  const { status, body, text } = await hopper.get(at(path, query))
  expect(status, text).toBe(200)
  return body
}

test('stages/users has every date and stage, with zeros, and counts a person with two devices once', async () => {
  const { rows } = await answer('stages/users')
  expect(rows).toEqual([
    { date: '2026-03-28', stage: 1, name: '/home', users: 2 },
    { date: '2026-03-28', stage: 2, name: 'cart', users: 1 },
    { date: '2026-03-28', stage: 3, name: 'thanks', users: 0 },
    { date: '2026-03-29', stage: 1, name: '/home', users: 1 },
    { date: '2026-03-29', stage: 2, name: 'cart', users: 0 },
    { date: '2026-03-29', stage: 3, name: 'thanks', users: 0 },
    { date: '2026-03-30', stage: 1, name: '/home', users: 0 },
    { date: '2026-03-30', stage: 2, name: 'cart', users: 0 },
    { date: '2026-03-30', stage: 3, name: 'thanks', users: 0 },
  ])
})

test('stages/conversion divides unique users of the range by all users, by person or by device', async () => {
  expect(await answer('stages/conversion')).toMatchObject({
    total_users: 2,
    rows: [
      { stage: 1, name: '/home', users: 2, rate: 1 },
      { stage: 2, name: 'cart', users: 1, rate: 0.5 },
      { stage: 3, name: 'thanks', users: 0, rate: 0 },
    ],
  })
  expect(await answer('stages/conversion', `${range}&count_by=device`)).toMatchObject({
    total_users: 3,
    rows: [{ users: 3, rate: 1 }, { users: 1, rate: 1 / 3 }, { users: 0 }],
  })
  expect(await answer('stages/conversion', 'from=2020-01-01&to=2020-01-02')).toMatchObject({
    total_users: 0,
    rows: [{ rate: null }, { rate: null }, { rate: null }],
    meta: { settled: true },
  })
})

test('stages/time and stages/graph', async () => {
  expect((await answer('stages/time')).rows).toEqual([
    { stage: 1, name: '/home', elapsed_ms: 3000, hits: 2, average_seconds: 1.5 },
    { stage: 2, name: 'cart', elapsed_ms: 0, hits: 0, average_seconds: null },
    { stage: 3, name: 'thanks', elapsed_ms: 0, hits: 0, average_seconds: null },
  ])
  expect((await answer('stages/graph')).rows).toEqual([
    { from: null, to: 1, users: 1 },
    { from: 1, to: 2, users: 1 },
  ])
})

test('elements/actions names configured elements and shows the others by XPath', async () => {
  const { rows } = await answer('elements/actions')
  expect(rows).toMatchObject([
    {
      name: 'Add to cart',
      hover_leave: 3,
      elapsed_leave_ms: 600,
      hover_click: 1,
      elapsed_click_ms: 500,
      hits: 4,
      leave_percent: 75,
      click_percent: 25,
      average_leave_ms: 200,
      average_click_ms: 500,
    },
    { name: '//i', hits: 1, leave_percent: 0, click_percent: 100 },
    {
      name: 'Never seen',
      hits: 0,
      leave_percent: null,
      click_percent: null,
      average_leave_ms: null,
      average_click_ms: null,
    },
  ])
  expect((await answer('elements/actions', `${range}&xpath=//i`)).rows).toHaveLength(1)
  expect(await hopper.get(at('elements/actions', 'xpath=//nowhere'))).toMatchObject({
    status: 404,
    body: { error: { code: 'HOP_ELEMENT_UNKNOWN' } },
  })
})

test('elements/durations has every bucket between the first and the last, and the correlation', async () => {
  const { buckets, correlation } = await answer(
    'elements/durations',
    `${range}&xpath=${encodeURIComponent("//*[@id='add']")}`,
  )
  expect(buckets).toEqual([
    { from_ms: 4, to_ms: 5, leave: 3, click: 0 },
    { from_ms: 5, to_ms: 6, leave: 0, click: 0 },
    { from_ms: 6, to_ms: 7, leave: 0, click: 0 },
    { from_ms: 7, to_ms: 8, leave: 0, click: 0 },
    { from_ms: 8, to_ms: 10, leave: 0, click: 1 },
  ])
  expect(correlation).toBeCloseTo(1, 10)
  expect(await answer('elements/durations', `${range}&xpath=//b`)).toMatchObject({ buckets: [], correlation: null })
  expect(await hopper.get(at('elements/durations'))).toMatchObject({
    status: 400,
    body: { error: { code: 'HOP_PARAM_INVALID' } },
  })
})

test('pages/views, clicks and agents are summed over lanes and dates, largest first', async () => {
  expect((await answer('pages/views')).rows).toEqual([
    { url: 'shop.example/end', views: 6, average_seconds: null },
    { url: 'shop.example/home', views: 5, average_seconds: 3 },
  ])
  expect((await answer('clicks')).rows).toEqual([{ url: 'shop.example/home', target: '//a', hits: 2, average_ms: 150 }])
  expect(await answer('agents', `${range}&by=browser`)).toMatchObject({
    total_users: 2,
    rows: [
      { value: '=cmd()', users: 1, share: 0.5 },
      { value: 'Chrome', users: 1, share: 0.5 },
    ],
  })
})

test('traffic by hour has 23 rows on the date of a clock change, and dates begin at local midnight', async () => {
  const { rows } = (await answer('traffic', `${range}&by=hour`)) as {
    rows: { time: string; events: number; users: number }[]
  }
  expect(rows).toHaveLength(24 + 23 + 24)
  expect(rows[0]).toEqual({ time: '2026-03-27T23:00:00.000Z', events: 0, views: 0, users: 0 })
  expect(rows[10]).toEqual({ time: '2026-03-28T09:00:00.000Z', events: 7, views: 4, users: 2 })
  expect(rows[24 + 22]).toEqual({ time: '2026-03-29T21:00:00.000Z', events: 2, views: 1, users: 1 })
  expect(rows[24 + 23]!.time).toBe('2026-03-29T22:00:00.000Z')
  expect(((await answer('traffic', 'from=2025-10-26&to=2025-10-26&by=hour')).rows as []).length).toBe(25)
  expect((await answer('traffic')).rows).toEqual([
    { time: '2026-03-27T23:00:00.000Z', events: 7, views: 4, users: 2 },
    { time: '2026-03-28T23:00:00.000Z', events: 2, views: 1, users: 1 },
    { time: '2026-03-29T22:00:00.000Z', events: 0, views: 0, users: 0 },
  ])
})

test('in Kathmandu a date begins at 18:15 UTC, and today is the local date', async () => {
  hopper.clock = Date.UTC(2026, 2, 29, 18, 30)
  const { body } = await hopper.get('/api/v1/apps/blog/traffic?by=hour', { 'x-api-key': keys.blogRead })
  const { rows, meta } = body as { rows: { time: string; events: number }[]; meta: object }
  expect(meta).toMatchObject({ from: '2026-03-24', to: '2026-03-30', timezone: 'Asia/Kathmandu', settled: false })
  expect(rows[6 * 24]).toEqual({ time: '2026-03-29T18:15:00.000Z', events: 1, views: 1, users: 1 })
  hopper.clock = Date.UTC(2026, 2, 30, 12)
})

test('an invalid range is refused with a reason', async () => {
  for (const query of [
    'from=2026-02-30',
    'from=2026-03-02&to=2026-03-01',
    'from=2020-01-01&to=2026-01-01',
    'to=yesterday',
    'to=9999-12-31',
  ]) {
    expect(await hopper.get(at('traffic', query)), query).toMatchObject({
      status: 400,
      body: { error: { code: 'HOP_RANGE_INVALID' } },
    })
  }
  expect(await hopper.get(at('traffic', 'from=2026-01-01&from=2026-01-02'))).toMatchObject({
    status: 400,
    body: { error: { code: 'HOP_PARAM_INVALID' } },
  })
  expect(await hopper.get(at('stages/users', 'funnel=nope'))).toMatchObject({
    status: 404,
    body: { error: { code: 'HOP_FUNNEL_UNKNOWN' } },
  })
})

test('an app without funnels has no stages', async () => {
  const { body } = await hopper.get('/api/v1/apps/blog/stages/conversion', { 'x-api-key': keys.blogRead })
  expect(body).toMatchObject({ total_users: 1, rows: [] })
})

test('CSV has the same rows, with formulas escaped', async () => {
  const { text, headers } = await hopper.get(at('agents', `${range}&by=browser`), {
    'x-api-key': keys.read,
    accept: 'text/csv',
  })
  expect(headers['content-type']).toBe('text/csv; charset=utf-8')
  expect(text).toBe("value,users,share\r\n'=cmd(),1,0.5\r\nChrome,1,0.5\r\n")
})

test('status sums the fates of the visible apps, and counts events per second between two calls', async () => {
  const { body } = await hopper.get('/api/v1/status')
  expect(body).toMatchObject({
    mode: 'standalone',
    dead_letters: 0,
    complete_to: hopper.clock,
    events_per_second: 0,
    fates: [
      { fate: 'accepted', reason: 'new', events: 9 },
      { fate: 'duplicate', reason: 'repeated_id', events: 2 },
    ],
    lanes: [{ lane: 0, next: 0, done: 0, lag: 0 }, { lane: 1 }],
    engines: [{ healthy: true }],
  })
  await hopper.fill({
    lane: 0,
    counters: [
      { ...(counter('fates_by_date', '2026-03-28', [[['accepted', 'new'], [20]]]) as object), from: 5, to: 9 } as never,
    ],
  })
  hopper.clock += 10_000
  expect((await hopper.get('/api/v1/status')).body).toMatchObject({ events_per_second: 2 })
  hopper.clock -= 10_000
  expect((await hopper.get('/api/v1/status', { 'x-api-key': keys.blogRead })).body).toMatchObject({ fates: [] })
  expect((body as { last_audit?: object }).last_audit).toBeUndefined()
  const audit = {
    finished_at: hopper.clock,
    app: 'shop',
    from: '2026-03-01',
    to: '2026-03-29',
    differing: 2,
    repaired: 1,
  }
  await hopper.storage.registry.audits.put('', 'last', audit)
  expect((await hopper.get('/api/v1/status')).body).toMatchObject({ last_audit: audit })
  expect((await hopper.get('/api/v1/status', { 'x-api-key': keys.blogRead })).body).not.toHaveProperty('last_audit')
})

test('settled and the lag of the status reflect old uncounted events; the first call has a rate', async () => {
  const old = '2026-01-01'
  const settled = async (app: string, key: string): Promise<boolean> =>
    (
      (await hopper.get(`/api/v1/apps/${app}/traffic?from=${old}&to=${old}`, { 'x-api-key': key })).body as {
        meta: { settled: boolean }
      }
    ).meta.settled
  expect(await settled('shop', keys.read)).toBe(true)
  const events = Array.from({ length: 30 }, (_, i) => ({
    type: 'custom',
    name: 'x',
    event_id: `old-${i}`,
    timestamp: Date.UTC(2026, 0, 1, 12),
    seq: 0,
  }))
  const context = { device: 'server', browser: '', os: '' }
  await hopper.storage.log.append([
    { version: 1, app: 'shop', device_id: 'a', received_at: hopper.clock, context, events } as never,
  ])
  expect([await settled('shop', keys.read), await settled('blog', keys.blogRead)]).toEqual([false, true])
  expect((await hopper.get('/api/v1/status')).body).toMatchObject({
    lag: { messages: 1, events: 30, remaining_seconds: null },
  })
})
