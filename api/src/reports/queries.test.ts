import type { ArchivedEvent, ErrorCode, FunnelAnswer } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
const reads = { authorization: `Bearer ${keys.read}` }
const DATE = '2026-03-28'
/** 10:00 in Berlin */
const T0 = Date.UTC(2026, 2, 28, 9)
const MINUTE_MS = 60_000

interface Sent {
  device: string
  /** the user in effect */
  user?: string
  minute: number
  tag: string
  colour?: string
  bot?: boolean
  page?: string
}

/**
 * Ann has two devices in two lanes; the first was hers before she identified. Bob looks at one colour and buys another.
 * A third person only looks.
 */
const sent: readonly (readonly Sent[])[] = [
  [
    { device: 'phone', minute: 0, tag: 'product_view', colour: 'red', page: '/' },
    { device: 'phone', user: 'ann', minute: 1, tag: 'login', page: '/a' },
    { device: 'pad', user: 'bob', minute: 2, tag: 'product_view', colour: 'red', page: '/' },
    { device: 'pad', user: 'bob', minute: 5, tag: 'add_to_cart', colour: 'blue', page: '/cart' },
    { device: 'robot', minute: 6, tag: 'product_view', colour: 'red', bot: true },
    { device: 'robot', minute: 7, tag: 'add_to_cart', colour: 'red', bot: true },
  ],
  [
    { device: 'laptop', user: 'ann', minute: 10, tag: 'product_view', colour: 'red', page: '/' },
    { device: 'laptop', user: 'ann', minute: 12, tag: 'add_to_cart', colour: 'red', page: '/cart' },
    { device: 'kiosk', minute: 20, tag: 'product_view', colour: 'red', page: '/' },
  ],
]

function archivedEvents(rows: readonly Sent[]): ArchivedEvent[] {
  return rows.map(({ device, user = '', minute, tag, colour, bot, page }, position) => {
    const timestamp = T0 + minute * MINUTE_MS
    const data = {
      event_tag: tag,
      ...(colour === undefined ? {} : { item_colour_id: colour }),
      ...(page === undefined ? {} : { page }),
    }
    return {
      event: {
        type: 'custom',
        name: tag,
        event_id: `${device}-${minute}`,
        timestamp,
        seq: 0,
        data,
        ...(user === '' ? {} : { user_id: user }),
      },
      device_id: device,
      user,
      context: { device: 'desktop', browser: 'Firefox', os: 'Linux', ...(bot ? { bot: 'webdriver' as const } : {}) },
      received_at: timestamp,
      position,
      index: 0,
    }
  })
}

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const { lanes, archive } = hopper.storage
  for (const [lane, rows] of sent.entries()) {
    const lease = await lanes.acquire(lane, 'test')
    // Two spans per lane, so that devices span both.
    for (const part of [archivedEvents(rows).slice(0, 2), archivedEvents(rows).slice(2)]) {
      const cover = {
        app: 'shop',
        date: DATE,
        lane,
        first_position: part[0]!.position,
        last_position: part.at(-1)!.position,
      }
      await archive!.append(lease, encodeChunks(part, cover))
    }
    await lanes.release(lease)
  }
})
afterAll(() => hopper.close())

const has = (tag: string): object => ({ type: 'eq', key: 'event_tag', value: tag })
const steps = [
  { name: 'view', filters: [has('product_view')] },
  { name: 'cart', filters: [has('add_to_cart')] },
]
const app = '/api/v1/apps/shop'
const range = { from: DATE, to: DATE }

/** The example of the event store: people who looked at a product and then put the same colour into the cart. */
const example = {
  start: DATE,
  end: DATE,
  data: [
    { name: 'product_view', filters: [has('product_view')], unique: ['user_id'] },
    {
      name: 'add_to_cart',
      keys: ['user_id', 'item_colour_id'],
      filters: [has('add_to_cart')],
      operations: [{ type: 'unique', key: 'user_id' }],
      events: 5,
    },
  ],
  funnel: { type: 'exact_order', order: ['product_view', 'add_to_cart'], match: ['user_id', 'item_colour_id'] },
}

test('the example of the event store works in both spellings and at both URLs', async () => {
  const [named, own] = await Promise.all([
    hopper.send('POST', `${app}/query`, example, reads),
    hopper.send('POST', '/query', example, reads),
  ])
  expect([named.status, own.status]).toEqual([200, 200])
  expect(own.body).toEqual(named.body)
  expect(named.body).toMatchObject({
    data: [
      { name: 'product_view', count: 4, unique: { user_id: 2 } },
      {
        name: 'add_to_cart',
        count: 2,
        unique: { user_id: 2 },
        events: [
          { user_id: 'bob', item_colour_id: 'blue' },
          { user_id: 'ann', item_colour_id: 'red' },
        ],
      },
    ],
    funnel: {
      stages: [
        { name: 'product_view', count: 4, unique: { user_id: 2 }, rate: 1 },
        { name: 'add_to_cart', count: 1, unique: { user_id: 1 }, rate: 0.25 },
      ],
    },
    meta: { from: DATE, to: DATE, timezone: 'Europe/Berlin' },
  })
})

test('a funnel counts a person with two devices once, ignores bots, and gives each drop a cause', async () => {
  const people = { step: 2, outcome: 'dropped', limit: 10 }
  const { status, body } = await hopper.send(
    'POST',
    `${app}/funnels/query`,
    { ...range, steps, match: ['item_colour_id'], people, window_ms: 60 * MINUTE_MS },
    reads,
  )
  expect(status).toBe(200)
  const answer = body as FunnelAnswer
  expect(answer.total).toBe(3)
  expect(answer.steps.map(({ name, count, dropped }) => [name, count, dropped])).toEqual([
    ['view', 3, 0],
    ['cart', 1, 2],
  ])
  expect(answer.steps[1]!.causes).toEqual({ open: 0, excluded: 0, late: 0, mismatch: 1, before: 0, never: 1 })
  expect([...answer.people!].sort()).toEqual(['d:kiosk', 'u:bob'])
  const devices = await hopper.send('POST', `${app}/funnels/query`, { ...range, steps, count_by: 'device' }, reads)
  expect((devices.body as FunnelAnswer).steps.map(({ count }) => count)).toEqual([4, 2])
})

test('takes a configured funnel by id or steps, but not both', async () => {
  const { status, body } = await hopper.send('POST', `${app}/funnels/query`, { ...range, funnel: 'checkout' }, reads)
  expect([status, (body as FunnelAnswer).steps.map(({ name, count }) => [name, count])]).toEqual([
    200,
    [
      ['/home', 0],
      ['cart', 0],
      ['thanks', 0],
    ],
  ])
  expect(
    await hopper.send('POST', `${app}/funnels/query`, { ...range, funnel: 'checkout', steps }, reads),
  ).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
})

test('journeys and retention', async () => {
  const { status, body } = await hopper.get(`${app}/journeys?from=${DATE}&to=${DATE}&key=page&depth=3`)
  expect(status).toBe(200)
  expect((body as { links: object[] }).links).toEqual([
    { from: '0:/', to: '1/exit', users: 1 },
    { from: '0:/', to: '1:/a', users: 1 },
    { from: '0:/', to: '1:/cart', users: 1 },
    { from: '1:/a', to: '2:/', users: 1 },
    { from: '1:/cart', to: '2/exit', users: 1 },
  ])
  for (const [name, place] of [
    ['start', '/nowhere'],
    ['end', 'https://x.example/'],
  ]) {
    expect(
      await hopper.get(`${app}/journeys?from=${DATE}&to=${DATE}&key=page&${name}=${encodeURIComponent(place!)}`),
    ).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'HOP_PARAM_INVALID',
          message: expect.stringContaining(`${name} is `) as string,
          details: { fields: [{ field: name }] },
        },
      },
    })
  }
  const journeys = async (parameters: Record<string, string>): Promise<unknown> => {
    const query = new URLSearchParams({ from: DATE, to: DATE, key: 'page', ...parameters })
    return (await hopper.get(`${app}/journeys?${query.toString()}`)).body
  }
  const filters = JSON.stringify([{ type: 'ne', key: 'user_id', value: 'ann' }])
  expect(await journeys({ filters })).toMatchObject({
    links: [
      { from: '0:/', to: '1/exit', users: 1 },
      { from: '0:/', to: '1:/cart', users: 1 },
      { from: '1:/cart', to: '2/exit', users: 1 },
    ],
  })
  expect(await journeys({ groups: '["/*"]' })).toMatchObject({
    nodes: [
      { id: '0:/*', users: 3 },
      { id: '1/exit', users: 3 },
    ],
  })
  for (const [name, text] of Object.entries({ groups: '["products"]', filters: '[' }))
    expect(await journeys({ [name]: text })).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  const retention = { ...range, first: [has('product_view')], again: [has('add_to_cart')], by: 'day' }
  const again = await hopper.send('POST', `${app}/retention/query`, retention, reads)
  expect([again.status, again.body]).toMatchObject([200, { cohorts: [{ size: 3, again: [2] }] }])
})

test('a query that cannot be answered fails quickly with a clear error', async () => {
  const filters = (depth: number): object => (depth === 0 ? has('x') : { type: 'not', filter: filters(depth - 1) })
  const funnel = (fields: object): object => ({ ...range, steps, ...fields })
  const refused: [string, object, ErrorCode, number?][] = [
    ['query', { ...example, start: 'yesterday' }, 'HOP_RANGE_INVALID'],
    ['query', { ...example, start: '1900-01-01', end: DATE }, 'HOP_RANGE_INVALID'],
    ['query', { ...example, start: '2026-03-29' }, 'HOP_RANGE_INVALID'],
    ['query', { ...example, data: [] }, 'HOP_PARAM_INVALID'],
    ['query', { start: DATE }, 'HOP_PARAM_INVALID'],
    ['funnels/query', funnel({ filters: [filters(20)] }), 'HOP_LIMIT'],
    ['funnels/query', funnel({ steps: Array.from({ length: 500 }, () => steps[0]) }), 'HOP_PARAM_INVALID'],
    ['funnels/query', funnel({ steps: Array.from({ length: 10_000 }, () => steps[0]) }), 'HOP_BODY_TOO_LARGE', 413],
    ['funnels/query', funnel({ filters: [filters(1_000)] }), 'HOP_PARAM_INVALID'],
    ['funnels/query', funnel({ filters: [{ type: 'regex', key: 'event_tag', value: '(' }] }), 'HOP_PARAM_INVALID'],
  ]
  for (const [path, body, code, status = 400] of refused) {
    const answer = await hopper.send('POST', `${app}/${path}`, body, reads)
    expect([path, answer.status, answer.body]).toMatchObject([path, status, { error: { code } }])
  }
  const slow = await hopper.send(
    'POST',
    `${app}/funnels/query`,
    funnel({ filters: [{ type: 'regex', key: 'event_tag', value: '(a+)+$' }] }),
    reads,
  )
  expect([slow.status, (slow.body as FunnelAnswer).total]).toEqual([200, 0])
  expect(await hopper.send('POST', '/query', example, { authorization: `Bearer ${keys.admin}` })).toMatchObject({
    status: 400,
  })
  expect((await hopper.send('POST', '/api/v1/apps/foreign/query', example, reads)).status).toBeGreaterThanOrEqual(403)
})

test('a query has a time limit', async () => {
  const hurried = await openInstallation(openEmbedded, { queryLimitMs: 0 })
  expect(await hurried.send('POST', `${app}/query`, example, reads)).toMatchObject({
    status: 503,
    body: { error: { code: 'HOP_QUERY_TIMEOUT' } },
  })
  await hurried.close()
})
