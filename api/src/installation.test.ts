import {
  refusedDayId,
  shiftDate,
  type AppFates,
  type Disk,
  type Processes,
  type Refusal,
  type Refusals,
} from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keys, NOW, openInstallation, type Installation } from './testing/installation.fixture.ts'

const DAY_MS = 86_400_000
const read = { authorization: `Bearer ${keys.read}` }
const acme = { authorization: `Bearer ${keys.admin}` }
const other = { authorization: `Bearer ${keys.otherAdmin}` }

let hopper: Installation
beforeEach(async () => void (hopper = await openInstallation(openEmbedded)))
afterEach(() => hopper.close())

test('the disk is shown by place with its growth and forecast, without places that are gone', async () => {
  const { disks } = hopper.storage.registry
  const use = { parts: [{ part: 'log' as const, bytes: 3e9 }], free: 10e9, size: 100e9 }
  const samples = [{ at: NOW - 2 * DAY_MS, used: 1e9, free: 12e9 }]
  await disks.put('', 'data', { ...use, place: 'data', measured_at: NOW, samples })
  await disks.put('', 'gone', { ...use, place: 'gone', measured_at: NOW - 8 * DAY_MS, samples })
  const { places } = (await hopper.get('/api/v1/disk', read)).body as Disk
  expect(places).toMatchObject([
    { place: 'data', used_bytes: 3e9, free_bytes: 10e9, bytes_per_day: 1e9, full_in_seconds: 864_000, is_low: false },
  ])
  expect((await hopper.get('/api/v1/disk', {})).status).toBe(401)
})

test('only the organization sees refused requests of its apps, and of origins that it lists', async () => {
  const { refusals, apps } = hopper.storage.registry
  const shop = (await apps.get('acme', 'shop'))!
  await apps.put('acme', 'shop', { ...shop, origins: ['https://shop.example'] })
  const row = (app: string | null, origin: string | null, requests = 1): Omit<Refusal, 'date'> => ({
    code: app === null ? 'HOP_KEY_UNKNOWN' : 'HOP_ORIGIN',
    app,
    origin,
    key_hint: null,
    requests,
    last_at: NOW,
  })
  const rows = [
    row('shop', 'https://x.example', 2),
    row('foreign', null),
    row(null, 'https://shop.example'),
    row(null, null),
  ]
  for (const process of ['a', 'b']) {
    const day = { process, date: '2026-03-30', rows }
    await refusals.put('', refusedDayId(day), day)
  }
  const old = { process: 'a', date: shiftDate('2026-03-30', -30), rows }
  await refusals.put('', refusedDayId(old), old)
  const listed = async (headers: Record<string, string>): Promise<unknown[]> =>
    ((await hopper.get('/api/v1/refusals', headers)).body as Refusals).rows.map(({ date, app, origin, requests }) => [
      date,
      app,
      origin,
      requests,
    ])
  const expected = [
    ['2026-03-30', null, 'https://shop.example', 2],
    ['2026-03-30', 'shop', 'https://x.example', 4],
  ]
  expect(await listed(acme)).toEqual(expected)
  expect(await listed(read)).toEqual(expected)
  expect(await listed(other)).toEqual([['2026-03-30', 'foreign', null, 2]])
  await hopper.storage.registry.organizations.remove('', 'other')
  expect(await listed(acme)).toEqual([expected[0], ['2026-03-30', null, null, 2], expected[1]])
})

test('admins see the processes of the last week, with their last problems', async () => {
  const { processes } = hopper.storage.registry
  const report = { name: 'api', version: '1', started_at: NOW - 1_000, problems: [] }
  await processes.put('', 'a', { ...report, id: 'a', seen_at: NOW - 60_000 })
  await processes.put('', 'b', { ...report, id: 'b', seen_at: NOW })
  await processes.put('', 'c', { ...report, id: 'c', seen_at: NOW - 8 * 86_400_000 })
  const { body } = await hopper.get('/api/v1/processes', acme)
  expect((body as Processes).processes.map(({ id }) => id)).toEqual(['b', 'a'])
  expect((await hopper.get('/api/v1/processes', read)).status).toBe(403)
})

test('the fates of an app are listed by date of receipt, added up over lanes, without other apps', async () => {
  const fates = (app: string, date: string, events: number): object => ({
    table: 'fates_by_date',
    app,
    date,
    from: -1,
    to: 0,
    rows: [
      { key: ['duplicate', 'repeated_id'], deltas: [1] },
      { key: ['accepted', 'new'], deltas: [events] },
    ],
  })
  for (const lane of [0, 1]) {
    const counters = [fates('shop', '2026-03-30', 5), fates('shop', '2026-03-01', 2), fates('shop', '2026-02-28', 9)]
    await hopper.fill({ lane, counters: [...counters, fates('blog', '2026-03-30', 7)] as never })
  }
  const { body } = await hopper.get('/api/v1/apps/shop/fates', read)
  const { from, to, rows } = body as AppFates
  expect([from, to]).toEqual(['2026-03-01', '2026-03-30'])
  expect(rows.map(({ date, fate, events }) => [date, fate, events])).toEqual([
    ['2026-03-01', 'accepted', 4],
    ['2026-03-01', 'duplicate', 2],
    ['2026-03-30', 'accepted', 10],
    ['2026-03-30', 'duplicate', 2],
  ])
  expect((await hopper.get('/api/v1/apps/foreign/fates', read)).status).toBe(403)
})
