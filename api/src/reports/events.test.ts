import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { laneOf } from '@hopper/contracts'
import { rejectedPartition } from '@hopper/storage'
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
/** places each device in the lane of its hash, out of two */
const devices = { phone: 1, laptop: 0, kiosk: 1 } as const
const event = (device: keyof typeof devices, minute: number, user = '', date = T0): Sketch => ({
  device,
  time: date + minute * 60_000,
  data: { n: minute },
  ...(user === '' ? {} : { user }),
})

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  for (const [device, lane] of Object.entries(devices))
    expect([device, laneOf('shop', device, 2)]).toEqual([device, lane])
  await archiveSketches(hopper.storage, 'shop', 1, DATE, 10, [
    event('phone', 5),
    event('kiosk', 1),
    event('phone', 3, 'ann'),
  ])
  await archiveSketches(hopper.storage, 'shop', 0, DATE, 7, [event('laptop', 4, 'ann'), event('laptop', 2, 'ann')])
  // the events of one envelope may have two dates, so their spans overlap
  await archiveSketches(hopper.storage, 'shop', 1, '2026-03-29', 13, [event('phone', 1_440, 'ann')])
  await archiveSketches(hopper.storage, 'blog', 1, DATE, 20, [event('kiosk', 9)])
  const seen = (event_id: string, position: number, fate: 'accepted' | 'late'): object => ({
    event_id,
    position,
    fate,
    reason: fate === 'late' ? 'after_settled' : 'new',
  })
  await hopper.fill({
    lane: 1,
    seen: [
      { app: 'shop', date: DATE, rows: [seen('phone-10', 10, 'accepted'), seen('kiosk-11', 11, 'late')] as never },
    ],
  })
})
afterAll(() => hopper.close())

interface Page {
  events: { event_id: string; lane: number; position: number; user?: string }[]
  next?: string
}
const page = async (query: string): Promise<Page> => (await hopper.get(`${app}/events?${query}`)).body
const ids = ({ events }: Page): string[] => events.map(({ event_id }) => event_id)
const all = ['laptop-7', 'laptop-8', 'phone-10', 'kiosk-11', 'phone-12', 'phone-13']

test('events in log order, page by page by cursor or from any index, only of the app', async () => {
  expect(ids(await page('limit=100'))).toEqual(all)
  const walked: string[] = []
  for (let found = await page('limit=2'); found.events.length > 0; found = await page(`limit=2&start=${found.next}`))
    walked.push(...ids(found))
  expect(walked).toEqual(all)
  for (let start = 0; start <= all.length; start++)
    expect(ids(await page(`start=${start}&limit=3`))).toEqual(all.slice(start, start + 3))
  expect((await page('limit=1')).events[0]).toMatchObject({
    device_id: 'laptop',
    user: 'ann',
    lane: 0,
    position: 7,
    index: 0,
    data: { n: 4 },
    context: { browser: 'Firefox' },
  })
  for (const start of ['-1', 'c1', 'cx.y.z', 'c0.!'])
    expect(await hopper.get(`${app}/events?start=${start}`)).toMatchObject({ status: 400 })
})

test('an unchanged page is not sent again, although its `complete_to` advances', async () => {
  const { headers } = await hopper.get(`${app}/events?limit=3`)
  const again = { authorization: `Bearer ${keys.read}`, 'if-none-match': String(headers['etag']) }
  hopper.clock += 60_000
  expect((await hopper.get(`${app}/events?limit=3`, again)).status).toBe(304)
  expect((await hopper.get(`${app}/events?limit=4`, again)).status).toBe(200)
})

test('events that arrive after the last page follow its cursor, in any lane', async () => {
  const { next } = await page('limit=100')
  expect(ids(await page(`start=${next}`))).toEqual([])
  await archiveSketches(hopper.storage, 'shop', 0, '2026-03-30', 30, [event('laptop', 5_000, 'ann')])
  expect(ids(await page(`start=${next}`))).toEqual(['laptop-30'])
})

test('the newest events first, page by page, those that match filters', async () => {
  const newest = 'order=-timestamp'
  const expected = ['laptop-30', 'phone-13', 'phone-10', 'laptop-7', 'phone-12', 'laptop-8', 'kiosk-11']
  // a page has nothing that no stream can have
  expect(ids(await page(newest))).toEqual([])
  for (const lane of [0, 1]) {
    const lease = await hopper.storage.lanes.acquire(lane, 'test')
    await hopper.storage.lanes.commit(lease, 40)
    await hopper.storage.lanes.release(lease)
  }
  expect(ids(await page(newest))).toEqual(expected)
  const walked: string[] = []
  for (let start: string | undefined = ''; start !== undefined;) {
    const at: Page = await page(`${newest}&limit=2${start && `&start=${start}`}`)
    walked.push(...ids(at))
    start = at.next
  }
  expect(walked).toEqual(expected)
  const filters = encodeURIComponent(JSON.stringify([{ type: 'in', key: 'data.n', values: [1, 3, 5] }]))
  expect(ids(await page(`${newest}&filters=${filters}`))).toEqual(['phone-10', 'phone-12', 'kiosk-11'])
  const ofAnn = encodeURIComponent(JSON.stringify([{ type: 'eq', key: 'person', value: 'u:ann' }]))
  expect(ids(await page(`${newest}&limit=1&filters=${ofAnn}`))).toEqual(['laptop-30'])
  for (const query of [`${newest}&start=3`, `${newest}&start=tabc`, `start=${(await page(`${newest}&limit=1`)).next}`])
    expect(await hopper.get(`${app}/events?${query}`)).toMatchObject({ status: 400 })
  expect((await hopper.get(`${app}/events?filters=${filters}`)).text).toContain('can only be sent with order')
})

test('one event by its id, with its fate', async () => {
  const found = await hopper.get(`${app}/events/phone-10?${range}`)
  expect([found.status, found.body]).toMatchObject([
    200,
    {
      fate: 'accepted',
      reason: 'new',
      received_at: T0 + 5 * 60_000,
      lane: 1,
      position: 10,
      tables: ['activity_by_date', 'agents_by_date', 'fates_by_date', 'users_by_date'],
      event: { event_id: 'phone-10', device_id: 'phone' },
    },
  ])
  expect((await hopper.get(`${app}/events/kiosk-11?${range}`)).body).toMatchObject({
    fate: 'late',
    reason: 'after_settled',
  })
  expect(await hopper.get(`${app}/events/phone-10?from=2026-01-01&to=2026-01-02`)).toMatchObject({
    status: 404,
    body: { error: { code: 'HOP_NOT_FOUND' } },
  })
  expect((await hopper.get(`${app}/events/${'x'.repeat(128)}?${range}`)).body).toMatchObject({
    error: { message: expect.stringContaining('has this id') },
  })
})

test('an event that the archive lacks is reported as rejected, as a bot, or as too young', async () => {
  const lane = laneOf('shop', 'phone', 2)
  const received_at = Date.UTC(2026, 2, 28, 23, 59)
  const context = { device: 'desktop', browser: 'Firefox', os: 'Linux' } as const
  const sent = { version: 1, app: 'shop', device_id: 'phone', received_at, context } as const
  const click = { type: 'click', target: '//a', elapsed_time: 1, current_url: '/p', timestamp: T0, seq: 0 } as const
  const [refused, young] = await hopper.storage.log.append([
    { ...sent, events: [], rejected: [{ event_id: 'odd', reason: 'too_large' }] },
    { ...sent, events: [{ ...click, event_id: 'young' }] },
  ])
  const row = (event_id: string, position: number, fate: string, reason: string): object => ({
    event_id,
    position,
    fate,
    reason,
  })
  await hopper.fill({
    lane,
    seen: [
      {
        ...rejectedPartition('shop', DATE),
        rows: [row('odd', refused!.position, 'rejected', 'too_large'), row('phone-12', 3, 'rejected', 'too_old')],
      },
      {
        app: 'shop',
        date: DATE,
        rows: [
          row('young', young!.position, 'accepted', 'new'),
          row('robot', 900, 'bot', 'webdriver'),
          row('gone', 901, 'accepted', 'new'),
          row('phone-12', 12, 'accepted', 'new'),
        ],
      },
    ] as never,
  })
  const fateOf = async (id: string, key?: object): Promise<{ status: number; body: Record<string, unknown> }> =>
    hopper.get(`${app}/events/${id}?${range}`, key as never)
  const odd = await fateOf('odd')
  expect(odd.body).toMatchObject({ fate: 'rejected', reason: 'too_large', received_at, tables: ['fates_by_date'] })
  expect(odd.body).not.toHaveProperty('event')
  expect((await fateOf('young')).body).toMatchObject({
    fate: 'accepted',
    received_at,
    lane,
    position: young!.position,
    tables: ['activity_by_date', 'agents_by_date', 'clicks_by_date', 'fates_by_date', 'users_by_date'],
    event: { event_id: 'young', device_id: 'phone', type: 'click' },
  })
  expect((await fateOf('robot')).body).toMatchObject({ fate: 'bot', tables: ['fates_by_date'], received_at: null })
  expect((await fateOf('gone')).body).toMatchObject({ fate: 'accepted', tables: null, received_at: null })
  // accepted later: the earlier rejection no longer matters
  expect((await fateOf('phone-12')).body).toMatchObject({ fate: 'accepted', position: 12 })
  const csv = await hopper.get(`${app}/events/odd?${range}`, {
    authorization: `Bearer ${keys.read}`,
    accept: 'text/csv',
  })
  expect(csv.text.split('\r\n')[1]).toContain('rejected,too_large')
  // another app has neither
  const other = { authorization: `Bearer ${keys.blogRead}` }
  expect(await hopper.get(`/api/v1/apps/blog/events/odd?${range}`, other)).toMatchObject({ status: 404 })
})

test('a person has devices in all lanes and events from before the identify, newest first', async () => {
  const { status, body } = await hopper.get(`${app}/persons/u:ann?${range}`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id: 'u:ann',
    users: ['ann'],
    events: 4,
    devices: [
      { device_id: 'phone', events: 2, first: T0 + 180_000, last: T0 + 300_000 },
      { device_id: 'laptop', events: 2 },
    ],
    timeline: [{ event_id: 'phone-10' }, { event_id: 'laptop-7' }, { event_id: 'phone-12' }, { event_id: 'laptop-8' }],
  })
  expect((await hopper.get(`${app}/persons/ann?${range}&limit=1`)).body).toMatchObject({
    events: 4,
    timeline: [{ event_id: 'phone-10' }],
  })
  expect((await hopper.get(`${app}/persons/d:kiosk?${range}`)).body).toMatchObject({
    id: 'd:kiosk',
    users: [],
    events: 1,
  })
  expect((await hopper.get(`${app}/persons/d:phone?${range}`)).body).toMatchObject({ users: ['ann'], events: 2 })
  expect(await hopper.get(`${app}/persons/u:nobody?${range}`)).toMatchObject({ status: 404 })
  expect(await hopper.get(`/api/v1/apps/blog/persons/u:ann?${range}`)).toMatchObject({ status: 403 })
  expect(
    await hopper.get(`/api/v1/apps/blog/persons/u:ann?${range}`, { authorization: `Bearer ${keys.blogRead}` }),
  ).toMatchObject({ status: 404 })
})
