import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { laneOf } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { keys, LANES, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const MINUTE_MS = 60_000
const app = '/api/v1/apps/shop'
const range = `from=${DATE}&to=${DATE}`
const admin = { authorization: `Bearer ${keys.admin}` }
const at = (minute: number): number => T0 + minute * MINUTE_MS

const saw = (device: string, minute: number, user = ''): Sketch => ({
  device,
  time: at(minute),
  data: { tag: 'saw' },
  user,
})
const bought = (device: string, minute: number, price: number | string, user = ''): Sketch => ({
  device,
  time: at(minute),
  name: 'purchase',
  data: { tag: 'bought', price },
  user,
})
const identify = (device: string, minute: number, user: string, data: Sketch['data'] = {}): Sketch => ({
  device,
  time: at(minute),
  data,
  user,
  identify: true,
})

/**
 * Ann has a phone, anonymous at first, and a laptop; bob took over the laptop; the kiosk is nobody's. Positions are
 * those of the list, lane by lane.
 */
const history: readonly Sketch[] = [
  saw('phone', 0),
  bought('phone', 1, 10),
  identify('phone', 2, 'ann', { plan: 'free', city: 'Bern' }),
  bought('phone', 3, 30, 'ann'),
  identify('laptop', 4, 'ann', { plan: 'pro' }),
  saw('laptop', 5, 'ann'),
  identify('laptop', 6, 'bob', { plan: 'free' }),
  bought('laptop', 7, '5', 'bob'),
  saw('kiosk', 8),
  bought('kiosk', 9, 2),
  { ...saw('robot', 10), bot: true },
]
/** a day before the range: values of the person count it, numbers of the range do not */
const before: readonly Sketch[] = [{ ...bought('phone', 0, 100), time: T0 - 86_400_000 }]

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const fill = async (date: string, sketches: readonly Sketch[], first: number): Promise<void> => {
    for (const [lane, group] of Map.groupBy(sketches, ({ device }) => laneOf('shop', device, LANES)))
      await archiveSketches(hopper.storage, 'shop', lane, date, first, group)
  }
  await fill('2026-03-27', before, 0)
  await fill(DATE, history, 100)
})
afterAll(() => hopper.close())

interface Person {
  id: string
  users: string[]
  devices: number
  first_seen: number
  last_seen: number
  events: number
  traits: object
  properties: object
}
const list = async (query: string): Promise<{ persons: Person[]; next?: string }> => {
  const { status, body } = await hopper.get(`${app}/persons?${range}&${query}`)
  expect([status, body]).toMatchObject([200, { meta: { from: DATE } }])
  return body
}
const ids = async (query: string): Promise<string[]> => (await list(query)).persons.map(({ id }) => id)
const filtered = (key: string, value: unknown, type = 'eq'): string =>
  `filter=${encodeURIComponent(JSON.stringify([{ type, key, value }]))}`
const define = (name: string, body: object): ReturnType<Installation['send']> =>
  hopper.send('PUT', `${app}/properties/${name}`, body, admin)

test('computed properties are defined, replaced, listed and removed', async () => {
  expect(await define('spent', { event: 'purchase', operation: 'count' })).toMatchObject({ status: 200 })
  const spent = { event: 'purchase', key: 'price', operation: 'sum' }
  expect((await define('spent', spent)).body).toEqual({ name: 'spent', ...spent })
  await define('buys', { event: 'purchase', operation: 'count' })
  await define('gone', { event: 'custom', operation: 'count' })
  expect(await hopper.send('DELETE', `${app}/properties/gone`, undefined, admin)).toMatchObject({ status: 204 })
  expect(await hopper.send('DELETE', `${app}/properties/gone`, undefined, admin)).toMatchObject({ status: 404 })
  expect((await hopper.get(`${app}/properties`)).body).toEqual({
    properties: [
      { name: 'buys', event: 'purchase', operation: 'count' },
      { name: 'spent', ...spent },
    ],
  })
  expect(
    (await hopper.send('PUT', `${app}/properties/x`, spent, { authorization: `Bearer ${keys.read}` })).status,
  ).toBe(403)
})

test('a definition that makes no sense is refused by its field', async () => {
  const refused: [name: string, body: object, field: string][] = [
    ['x', { event: 'purchase', operation: 'sum' }, 'key'],
    ['x', { event: 'purchase', operation: 'total' }, 'operation'],
    ['x', { event: 'purchase', operation: 'sum', key: 'trait.plan' }, 'key'],
    ['x', { event: 'a', operation: 'count', filters: [{ type: 'all', key: 'property.spent' }] }, 'filters'],
    ['x', { event: 'a', operation: 'count', filter: [] }, 'filter'],
    ['-', { event: 'a', operation: 'count' }, 'name'],
  ]
  for (const [name, body, field] of refused)
    expect([body, await define(name, body)]).toMatchObject([
      body,
      { status: 400, body: { error: { code: 'HOP_PARAM_INVALID', details: { fields: [{ field }] } } } },
    ])
})

test('persons with their devices, times, traits and properties, the last seen first', async () => {
  expect((await list('')).persons).toEqual([
    {
      id: 'd:kiosk',
      users: [],
      devices: 1,
      first_seen: at(8),
      last_seen: at(9),
      events: 2,
      traits: {},
      properties: { buys: 1, spent: 2 },
    },
    {
      id: 'u:bob',
      users: ['bob'],
      devices: 1,
      first_seen: at(6),
      last_seen: at(7),
      events: 2,
      traits: { plan: 'free' },
      properties: { buys: 1, spent: 5 },
    },
    {
      id: 'u:ann',
      users: ['ann'],
      devices: 2,
      first_seen: at(0),
      last_seen: at(5),
      events: 6,
      traits: { city: 'Bern', plan: 'pro' },
      properties: { buys: 3, spent: 140 },
    },
  ])
})

test('persons in any order, those without the value last, page by page', async () => {
  expect(await ids('order=first_seen')).toEqual(['u:ann', 'u:bob', 'd:kiosk'])
  expect(await ids('order=-events')).toEqual(['u:ann', 'd:kiosk', 'u:bob'])
  expect(await ids('order=trait.plan')).toEqual(['u:bob', 'u:ann', 'd:kiosk'])
  expect(await ids('order=-trait.plan')).toEqual(['u:ann', 'u:bob', 'd:kiosk'])
  expect(await ids('order=-property.spent')).toEqual(['u:ann', 'u:bob', 'd:kiosk'])
  for (const order of ['last_seen', '-events', 'trait.city', '-property.spent']) {
    const walked: string[] = []
    let page = await list(`order=${order}&limit=1`)
    for (; ; page = await list(`order=${order}&limit=1&cursor=${page.next}`)) {
      walked.push(...page.persons.map(({ id }) => id))
      if (page.next === undefined) break
    }
    expect([order, walked]).toEqual([order, await ids(`order=${order}`)])
  }
})

test('a search finds users, devices and traits in any case; a filter tests person keys', async () => {
  expect(await ids('search=AN')).toEqual(['u:ann'])
  expect(await ids('search=LapTop')).toEqual(['u:bob', 'u:ann'])
  expect(await ids('search=bern')).toEqual(['u:ann'])
  expect(await ids('search=free')).toEqual(['u:bob'])
  expect(await ids('search=nobody')).toEqual([])
  expect(await ids(filtered('trait.plan', 'pro'))).toEqual(['u:ann'])
  expect(await ids(filtered('trait.plan', 'pro', 'ne'))).toEqual(['d:kiosk', 'u:bob'])
  expect(await ids(filtered('property.spent', 5, 'lt'))).toEqual(['d:kiosk'])
  expect(await ids(filtered('person', 'd:', 'contains'))).toEqual(['d:kiosk'])
  expect(await ids(filtered('user_id', 'bob'))).toEqual(['u:bob'])
})

test('a faulty request for persons is refused by its parameter', async () => {
  const refused: [query: string, field: string][] = [
    ['order=age', 'order'],
    ['order=property.unknown', 'property.unknown'],
    ['filter=x', 'filter'],
    ['filter=[{"type":"eq","value":1}]', 'filter[0].key'],
    [filtered('tag', 'saw'), 'filter'],
    ['cursor=x', 'cursor'],
    ['limit=501', 'limit'],
    ['sort=age', 'sort'],
  ]
  for (const [query, field] of refused) {
    const { status, body } = await hopper.get(`${app}/persons?${range}&${query}`)
    expect([query, status, body]).toMatchObject([query, 400, { error: { details: { fields: [{ field }] } } }])
  }
  const { next } = await list('order=-events&limit=1')
  expect(await hopper.get(`${app}/persons?${range}&order=events&cursor=${next!}`)).toMatchObject({ status: 400 })
  expect(await hopper.get(`/api/v1/apps/blog/persons?${range}`)).toMatchObject({ status: 403 })
})

test('one person has its traits and computed properties over all events', async () => {
  expect((await hopper.get(`${app}/persons/u:ann?${range}`)).body).toMatchObject({
    events: 6,
    traits: { city: 'Bern', plan: 'pro' },
    properties: { buys: 3, spent: 140 },
  })
  expect((await hopper.get(`${app}/persons/d:kiosk?${range}`)).body).toMatchObject({
    traits: {},
    properties: { buys: 1, spent: 2 },
  })
})

test('the timeline of a person, page by page', async () => {
  interface Timeline {
    timeline: { event_id: string }[]
    events: number
    next?: string
  }
  const page = async (query: string): Promise<Timeline> =>
    (await hopper.get(`${app}/persons/u:ann?${range}&${query}`)).body
  const all = (await page('')).timeline.map(({ event_id }) => event_id)
  expect(all).toHaveLength(6)
  const walked: string[] = []
  let next: string | undefined
  do {
    const { timeline, events, next: following } = await page(`limit=4${next === undefined ? '' : `&cursor=${next}`}`)
    expect(events).toBe(6)
    walked.push(...timeline.map(({ event_id }) => event_id))
    next = following
  } while (next !== undefined)
  expect(walked).toEqual(all)
  expect(await hopper.get(`${app}/persons/u:ann?${range}&cursor=x`)).toMatchObject({ status: 400 })
})

test('anonymous events answer to the user of their person in a query', async () => {
  const tag = (value: string): object => ({ type: 'eq', key: 'tag', value })
  const { status, body } = await hopper.send(
    'POST',
    `${app}/query`,
    {
      start: DATE,
      end: DATE,
      data: [
        { name: 'saw', filters: [tag('saw')], unique: ['user_id', 'person', 'trait.plan', 'property.spent'] },
        { name: 'bought', filters: [tag('bought')], unique: ['user_id'] },
        { name: 'of ann', filters: [{ type: 'eq', key: 'user_id', value: 'ann' }] },
        { name: 'of pros', filters: [{ type: 'eq', key: 'trait.plan', value: 'pro' }], unique: ['device_id'] },
      ],
      funnel: { type: 'exact_order', order: ['saw', 'bought'], match: ['person'] },
    },
    { authorization: `Bearer ${keys.read}` },
  )
  expect([status, body]).toMatchObject([
    200,
    {
      data: [
        { count: 3, unique: { user_id: 1, person: 2, 'trait.plan': 1, 'property.spent': 2 } },
        { count: 4, unique: { user_id: 2 } },
        { count: 6 },
        { count: 6, unique: { device_id: 2 } },
      ],
      // ann after she looked on her phone, twice, and the kiosk
      funnel: { stages: [{ count: 3 }, { count: 3 }] },
    },
  ])
})

test('a funnel breaks down by a trait and by a computed property, and a new identify changes the answer', async () => {
  const funnel = async (breakdown: string): Promise<Record<string, number>> => {
    const steps = [{ name: 'any', filters: [{ type: 'all', key: 'tag' }] }]
    const { body } = await hopper.send(
      'POST',
      `${app}/funnels/query`,
      { from: DATE, to: DATE, steps, breakdown },
      { authorization: `Bearer ${keys.read}` },
    )
    const rows = (body as { breakdown: { value: unknown; total: number }[] }).breakdown
    return Object.fromEntries(rows.map(({ value, total }) => [String(value), total]))
  }
  expect(await funnel('property.spent')).toEqual({ 140: 1, 5: 1, 2: 1 })
  expect(await funnel('trait.plan')).toEqual({ free: 1, pro: 1, null: 1 })
  const lane = laneOf('shop', 'tablet', LANES)
  const later = { ...identify('tablet', 0, 'bob', { plan: 'team' }), time: T0 + 86_400_000 }
  await archiveSketches(hopper.storage, 'shop', lane, '2026-03-29', 500, [later])
  expect(await funnel('trait.plan')).toEqual({ team: 1, pro: 1, null: 1 })
  await define('spent', { event: 'purchase', key: 'price', operation: 'maximum' })
  expect(await funnel('property.spent')).toEqual({ 100: 1, 5: 1, 2: 1 })
})

test('person keys are among the suggested keys, with their values', async () => {
  const keysOf = async (prefix: string): Promise<string[]> =>
    ((await hopper.get(`${app}/keys?prefix=${prefix}&${range}`)).body as { rows: { key: string }[] }).rows.map(
      ({ key }) => key,
    )
  expect(await keysOf('')).toEqual(
    expect.arrayContaining(['person', 'user_id', 'trait.city', 'trait.plan', 'property.buys', 'property.spent', 'tag']),
  )
  expect(await keysOf('trait.c')).toEqual(['trait.city'])
  expect(await keysOf('prop')).toEqual(['property.buys', 'property.spent'])
  expect((await hopper.get(`${app}/keys/trait.plan/values?${range}`)).body).toMatchObject({
    rows: [{ value: 'pro' }, { value: 'team' }],
  })
})

test('at most 50 computed properties are defined', async () => {
  const { registry } = hopper.storage
  for (let i = 0; i < 50; i++)
    await registry.properties.put('blog', `p${i}`, { name: `p${i}`, event: 'a', operation: 'count' })
  const one = { event: 'b', operation: 'count' }
  const put = (name: string): ReturnType<Installation['send']> =>
    hopper.send('PUT', `/api/v1/apps/blog/properties/${name}`, one, admin)
  expect(await put('more')).toMatchObject({ status: 400, body: { error: { code: 'HOP_LIMIT' } } })
  expect(await put('p7')).toMatchObject({ status: 200 })
})
