import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { archiveSketches } from '../testing/archived.fixture.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
const app = '/api/v1/apps/shop'
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const range = `from=${DATE}&to=${DATE}`
const csv = { authorization: `Bearer ${keys.read}`, accept: 'text/csv' }
const admin = { authorization: `Bearer ${keys.admin}`, accept: 'text/csv' }

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await archiveSketches(hopper.storage, 'shop', 0, DATE, 0, [
    { device: 'laptop', time: T0, data: { tag: 'view', page: '/', price: 0.5 } },
    { device: 'laptop', time: T0 + 1_000, data: { tag: 'cart', page: '/cart', price: 1.25 } },
    { device: 'b', time: T0 + 2_000, data: { tag: 'view', page: '/', note: '=1+1;"x"' } },
  ])
  const seen = [{ event_id: 'laptop-0', position: 0, fate: 'accepted', reason: 'new' }]
  await hopper.fill({ lane: 0, seen: [{ app: 'shop', date: DATE, rows: seen as never }] })
})
afterAll(() => hopper.close())

const eq = (value: string): object => ({ type: 'eq', key: 'tag', value })
const steps = [
  { name: 'view', filters: [eq('view')] },
  { name: 'cart', filters: [eq('cart')] },
]
const lines = (text: string): string[] => text.split('\r\n').slice(0, -1)
async function tableOf(method: 'GET' | 'POST', url: string, body?: object, headers = csv): Promise<string[]> {
  const answer = await hopper.send(method, url, body, headers)
  expect([url, answer.status, answer.headers['content-type']]).toEqual([url, 200, 'text/csv; charset=utf-8'])
  return lines(answer.text)
}

test('every query is available as a table of its main rows', async () => {
  const dates = { from: DATE, to: DATE }
  expect(await tableOf('POST', `${app}/funnels/query`, { ...dates, steps })).toEqual([
    'step,name,count,rate,rate_from_previous,dropped,open,excluded,late,mismatch,before,never,' +
      'median_ms,average_ms,p90_ms',
    expect.stringMatching(/^1,view,2,1,1,0,0,0,0,0,0,0,/),
    expect.stringMatching(/^2,cart,1,0\.5,0\.5,1,\d,0,0,0,0,\d,1000,1000,1000$/),
  ])
  const broken = await tableOf('POST', `${app}/funnels/query`, { ...dates, steps, breakdown: 'page' })
  expect([broken[0]!.endsWith(',p90_ms,value'), broken.length, broken[1]!.endsWith(',/')]).toEqual([true, 3, true])
  const query = {
    start: DATE,
    end: DATE,
    data: [
      { name: 'views', filters: [eq('view')], unique: ['page'] },
      { name: 'carts', filters: [eq('cart')] },
    ],
    funnel: { type: 'exact_order', order: ['views', 'carts'], match: [] },
  }
  const [head, ...sets] = await tableOf('POST', `${app}/query`, query)
  expect([head, sets[0], sets.length]).toEqual(['part,name,count,rate,unique.page', 'set,views,2,,1', 4])
  expect(await tableOf('POST', '/query', query)).toEqual([head, ...sets])
  expect(
    (
      await tableOf('POST', `${app}/retention/query`, { ...dates, first: [eq('view')], again: [eq('cart')], by: 'day' })
    )[0],
  ).toMatch(/^time,size,again\.0/)
  expect((await tableOf('GET', `${app}/journeys?${range}&key=page`)).slice(0, 1)).toEqual([
    expect.stringContaining('from,to,users'),
  ])
})

test('keys, events, persons and administration are available as tables too', async () => {
  expect(await tableOf('GET', `${app}/keys?prefix=pa&${range}`)).toEqual(['key', 'page'])
  expect(await tableOf('GET', `${app}/keys?where=tag:cart&prefix=pa&${range}`)).toEqual([
    'key,value,events',
    'page,/cart,1',
  ])
  expect(await tableOf('GET', `${app}/keys/page/values?${range}`)).toEqual(['value,events', '/,2', '/cart,1'])
  const events = await tableOf('GET', `${app}/events?limit=3`)
  expect(events[0]).toMatch(/^event_id,type,timestamp,seq,device_id,user,received_at,lane,position,index,/)
  expect([events.length, events[0]!.split(',').includes('data.price'), events[3]!.includes(`"'=1+1;""x"""`)]).toEqual([
    4,
    true,
    true,
  ])
  expect(
    (await tableOf('GET', `${app}/events/laptop-0?${range}`)).map((line) => line.split(',').slice(0, 3).join()),
  ).toEqual(['fate,reason,event_id', 'accepted,new,laptop-0'])
  expect(await tableOf('GET', `${app}/persons/d:laptop?${range}`)).toHaveLength(3)
  expect((await tableOf('GET', `${app}/keys`, undefined, admin))[0]).toMatch(/^id,power,hint,created_at/)
  expect((await tableOf('GET', `${app}/funnels`))[1]).toBe('checkout,Checkout,1,/home,/home,')
  expect((await tableOf('GET', `${app}/elements`))[0]).toBe('name,xpath')
  expect((await tableOf('GET', '/api/v1/apps'))[1]).toContain('shop,Shop,')
  expect((await tableOf('GET', '/api/v1/members', undefined, admin))[0]).toBe(
    'id,name,role,has_password,second_factor,email,provider_linked',
  )
})

test('a call without a table refuses CSV-only clients before any work; others get JSON', async () => {
  const refused = { status: 406, body: { error: { code: 'HOP_NOT_ACCEPTABLE' } } }
  expect(await hopper.get('/api/v1/status', csv)).toMatchObject(refused)
  expect(await hopper.get(app, csv)).toMatchObject(refused)
  expect(await hopper.send('POST', `${app}/keys`, { power: 'read' }, admin)).toMatchObject(refused)
  const { body } = await hopper.get(`${app}/keys`, { authorization: `Bearer ${keys.admin}` })
  expect((body as { keys: object[] }).keys).toHaveLength(3)
  expect((await hopper.get(app, { ...csv, accept: 'text/csv, */*;q=0.1' })).body).toMatchObject({ id: 'shop' })
  expect(
    (await hopper.get(`${app}/traffic`, { ...csv, accept: 'application/json' })).headers['content-type'],
  ).toContain('application/json')
})

test('the byte-order mark and the decimal comma are optional', async () => {
  const body = { from: DATE, to: DATE, steps }
  const marked = await hopper.send('POST', `${app}/funnels/query?bom=1&decimal=comma`, body, csv)
  expect([marked.text.charCodeAt(0), lines(marked.text)[2]]).toEqual([
    0xfeff,
    expect.stringMatching(/^2;cart;1;0,5;0,5;1;/),
  ])
  expect((await hopper.get(`${app}/traffic?bom=0&decimal=point&${range}`, csv)).text).toMatch(
    /^time,events,views,users\r\n/,
  )
  for (const wrong of ['bom=2', 'bom=true', 'decimal=,', 'bom=1&bom=1'])
    expect((await hopper.get(`${app}/traffic?${wrong}`, csv)).status).toBe(400)
  expect((await hopper.get('/api/v1/status?bom=1')).status).toBe(400)
  const plain = await hopper.get(`${app}/export?format=csv&${range}`)
  const exported = await hopper.get(`${app}/export?format=csv&bom=1&${range}`)
  expect(exported.text).toBe(`\ufeff${plain.text}`)
  expect((await hopper.get(`${app}/export?format=ndjson&bom=1&${range}`)).status).toBe(400)
})

test('the meta of events and of one event describes their range', async () => {
  expect((await hopper.get(`${app}/events?limit=3`)).body).toMatchObject({
    meta: { from: DATE, to: DATE, timezone: 'Europe/Berlin', complete_to: expect.any(Number), settled: false },
  })
  expect((await hopper.get(`${app}/events?start=500`)).body).toMatchObject({
    events: [],
    meta: { from: '2026-03-30', to: '2026-03-30' },
  })
  expect((await hopper.get(`${app}/events/laptop-0?${range}`)).body).toMatchObject({
    meta: { from: DATE, to: DATE, timezone: 'Europe/Berlin' },
  })
})

test('an entity tag avoids resending an answer, and complete_to does not change it', async () => {
  const read = { authorization: `Bearer ${keys.read}` }
  for (const url of [
    `${app}/pages/views?${range}`,
    `${app}/events?limit=2`,
    `${app}/funnels`,
    app,
    '/api/v1/apps',
    `${app}/journeys?${range}&key=page`,
    '/openapi.json',
    '/schemas/query.json',
  ]) {
    for (const accept of ['application/json', ...(/openapi|schemas|shop$/.test(url) ? [] : ['text/csv'])]) {
      const first = await hopper.get(url, { ...read, accept })
      const etag = String(first.headers['etag'])
      expect([url, etag]).toEqual([url, expect.stringMatching(/^W\/"[0-9a-f]{32}"$/)])
      hopper.clock += 1_000
      for (const tags of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
        const again = await hopper.get(url, { ...read, accept, 'if-none-match': tags })
        expect([url, tags, again.status, again.text, again.headers['etag']]).toEqual([url, tags, 304, '', etag])
      }
      expect((await hopper.get(url, { ...read, accept, 'if-none-match': 'W/"0"' })).status).toBe(200)
    }
  }
  expect((await hopper.get(`${app}/nothing`, { ...read, 'if-none-match': '*' })).status).toBe(404)
  const head = await hopper.app.inject({ method: 'HEAD', url: `${app}/funnels`, headers: read })
  expect([head.statusCode, head.headers['etag']]).toEqual([200, (await hopper.get(`${app}/funnels`)).headers['etag']])
})

test('a large answer, which is encoded already, has a table and a tag as well', async () => {
  const data = Array.from({ length: 3_000 }, (_, i) => ({
    device: 'kiosk',
    time: T0 + i * 1_000,
    data: { tag: `tag ${i}` },
  }))
  await archiveSketches(hopper.storage, 'shop', 1, DATE, 0, data)
  const sets = Array.from({ length: 20 }, (_, i) => ({ name: `set ${i}`, filters: [], events: 1_000 }))
  const query = { start: DATE, end: DATE, data: sets }
  const json = await hopper.send('POST', `${app}/query`, query, { ...csv, accept: 'application/json' })
  expect([json.status, json.text.length > 1_000_000]).toEqual([200, true])
  expect(await tableOf('POST', `${app}/query`, query)).toHaveLength(21)
  const both = await hopper.send('POST', `${app}/query`, query, { ...csv, accept: 'text/csv, text/event-stream' })
  expect([both.status, both.headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/(csv|event-stream)/)])
})
