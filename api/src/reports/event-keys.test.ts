import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const app = '/api/v1/apps/shop'
const range = `from=${DATE}&to=${DATE}`
const event = (device: string, minute: number, data: Sketch['data'], bot = false): Sketch => ({
  device,
  time: T0 + minute * 60_000,
  data,
  bot,
})

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await archiveSketches(hopper.storage, 'shop', 0, DATE, 0, [
    event('a', 0, { event_tag: 'product_view', item_colour: 'red', price: 10 }),
    event('a', 1, { event_tag: 'product_view', item_colour: 'blue', price: 10 }),
    event('b', 2, { event_tag: 'add_to_cart', item_size: 42, name: 'x' }),
    event('b', 3, { event_tag: 'product_view', item_colour: 'robot' }, true),
  ])
  await archiveSketches(hopper.storage, 'shop', 1, DATE, 0, [
    event('c', 4, { event_tag: 'product_view', item_colour: 'red', price: '10' }),
  ])
  await archiveSketches(hopper.storage, 'shop', 1, '2026-01-01', 1, [
    { device: 'c', time: Date.UTC(2026, 0, 1, 9), data: { old_key: 'old' } },
  ])
})
afterAll(() => hopper.close())

test('event keys by prefix, in the range only; a data key named like a field has its full name', async () => {
  const { status, body } = await hopper.get(`${app}/keys?prefix=item_&${range}`)
  expect([status, body]).toMatchObject([
    200,
    { rows: [{ key: 'item_colour' }, { key: 'item_size' }], meta: { from: DATE } },
  ])
  const all = ((await hopper.get(`${app}/keys?prefix=&${range}`)).body as { rows: { key: string }[] }).rows.map(
    ({ key }) => key,
  )
  expect(all).toEqual([...all].sort())
  expect(all).toEqual(expect.arrayContaining(['event_tag', 'name', 'data.name', 'device_id', 'browser']))
  expect(all).not.toContain('old_key')
  expect(all).not.toContain('runs')
  expect((await hopper.get(`${app}/keys?prefix=old&from=2026-01-01&to=${DATE}`)).body).toMatchObject({
    rows: [{ key: 'old_key' }],
  })
})

test('keys that differ in every event are all listed, with their values', async () => {
  const rare = Array.from({ length: 50 }, (_, i): Sketch =>
    event(`r${i}`, 10, Object.fromEntries(Array.from({ length: 4 }, (_, k) => [`rare_${i}_${k}`, i]))),
  )
  await archiveSketches(
    hopper.storage,
    'shop',
    0,
    '2026-02-01',
    10,
    rare.map((sketch) => ({ ...sketch, time: Date.UTC(2026, 1, 1, 9) })),
  )
  const on = 'from=2026-02-01&to=2026-02-01'
  const rows = ((await hopper.get(`${app}/keys?prefix=rare_&${on}`)).body as { rows: { key: string }[] }).rows.map(
    ({ key }) => key,
  )
  expect(rows).toEqual(rare.flatMap(({ data }) => Object.keys(data)).sort())
  expect((await hopper.get(`${app}/keys/rare_7_1/values?${on}`)).body).toMatchObject({
    rows: [{ value: 7, events: 1 }],
    more: false,
  })
  const found = (await hopper.get(`${app}/keys?prefix=rare_&where=rare_7_1:7&${on}`)).body as {
    rows: { key: string }[]
  }
  expect(found.rows.map(({ key }) => key)).toEqual(['rare_7_0', 'rare_7_1', 'rare_7_2', 'rare_7_3'])
})

test('the values of a key, most frequent first, without bots', async () => {
  const read = async (path: string): Promise<unknown> => (await hopper.get(`${app}/keys/${path}`)).body
  expect(await read(`item_colour/values?${range}`)).toMatchObject({
    rows: [
      { value: 'red', events: 2 },
      { value: 'blue', events: 1 },
    ],
    more: false,
  })
  expect(await read(`item_colour/values?prefix=b&${range}`)).toMatchObject({ rows: [{ value: 'blue', events: 1 }] })
  expect(await read(`item_colour/values?limit=1&${range}`)).toMatchObject({ rows: [{ value: 'red' }], more: true })
  expect(await read(`price/values?${range}`)).toMatchObject({
    rows: [
      { value: 10, events: 2 },
      { value: '10', events: 1 },
    ],
  })
  expect(await read(`nothing/values?${range}`)).toMatchObject({ rows: [], more: false })
  expect(await read(`bot/values?${range}`)).toMatchObject({ rows: [{ value: 'webdriver', events: 1 }] })
  expect(await read(`item_colour/values?limit=0&${range}`)).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  const csv = await hopper.get(`${app}/keys/item_colour/values?${range}`, {
    authorization: `Bearer ${keys.read}`,
    accept: 'text/csv',
  })
  expect(csv.text).toBe('value,events\r\nred,2\r\nblue,1\r\n')
})

test('keys with their values among matching events; a number matches as well as its text', async () => {
  type Rows = { rows: { key: string; values: { value: unknown; events: number }[]; more: boolean }[] }
  const read = async (where: string): Promise<Record<string, unknown>> => {
    const { body } = await hopper.get(`${app}/keys?where=${encodeURIComponent(where)}&${range}`)
    return Object.fromEntries(
      (body as Rows).rows.map(({ key, values }) => [
        key,
        values.map(({ value, events }) => `${String(value)}: ${events}`),
      ]),
    )
  }
  expect(await read('event_tag:product_view')).toMatchObject({
    event_tag: ['product_view: 3'],
    item_colour: ['red: 2', 'blue: 1'],
    price: ['10: 2', '10: 1'],
  })
  expect(Object.keys(await read('event_tag:product_view'))).not.toContain('item_size')
  expect(await read('price:10')).toMatchObject({ item_colour: ['red: 2', 'blue: 1'] })
  expect(await read('item_size:42')).toMatchObject({ 'data.name': ['x: 1'] })
  expect((await hopper.get(`${app}/keys?where=nocolon&${range}`)).body).toMatchObject({
    error: { code: 'HOP_PARAM_INVALID' },
  })
})

test('without a parameter the path lists the access keys, for admins', async () => {
  expect(await hopper.get(`${app}/keys`)).toMatchObject({ status: 403, body: { error: { code: 'HOP_KEY_POWER' } } })
  const { status, body } = await hopper.get(`${app}/keys`, { authorization: `Bearer ${keys.admin}` })
  expect([status, Object.keys(body)]).toEqual([200, ['keys']])
  expect((await hopper.get(`${app}/keys?prefix=`, { authorization: `Bearer ${keys.admin}` })).body).toHaveProperty(
    'rows',
  )
})
