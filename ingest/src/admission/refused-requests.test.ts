import { REFUSALS_PER_DAY_MAX, REFUSAL_DAYS, refusedDayId, shiftDate, type RefusedDay } from '@hopper/contracts'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { boundOrigin, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const AT = Date.parse('2026-03-30T12:00:00Z')
const DATE = '2026-03-30'
const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }

let now: number
let ingest: IngestServer
beforeEach(async () => {
  now = AT
  ingest = await openIngest({ refusalsStoredEveryMs: 20, clock: () => now })
})
afterEach(() => ingest[Symbol.asyncDispose]())

const stored = (): Promise<readonly RefusedDay[]> => ingest.storage.registry.refusals.list('')
const rows = async (): Promise<RefusedDay['rows']> => (await stored()).flatMap((day) => day.rows)
const send = (key: string | undefined, origin?: string, sent: unknown = body): Promise<{ status: number }> =>
  ingest.post(sent, {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(origin === undefined ? {} : { origin }),
  })

it('counts refused requests by reason, app, origin and the end of an unknown key', async () => {
  for (let n = 0; n < 3; n++) expect((await send('hw_nobody_knows_this', 'https://a.example')).status).toBe(401)
  expect((await send(keys.read)).status).toBe(403)
  expect((await send(keys.bound, 'https://other.example')).status).toBe(403)
  expect((await send(keys.bound, boundOrigin, '{')).status).toBe(400)
  expect((await send(keys.bound, boundOrigin)).status).toBe(202)
  const row = { last_at: AT, requests: 1, key_hint: null }
  await expect.poll(async () => (await rows()).length).toBe(4)
  expect(await rows()).toEqual([
    { ...row, code: 'HOP_KEY_UNKNOWN', app: null, origin: 'https://a.example', key_hint: 'this', requests: 3 },
    { ...row, code: 'HOP_KEY_POWER', app: null, origin: null, key_hint: 'cdef' },
    { ...row, code: 'HOP_ORIGIN', app: 'bound', origin: 'https://other.example' },
    { ...row, code: 'HOP_BODY_INVALID', app: 'bound', origin: boundOrigin },
  ])
  expect(JSON.stringify(await stored())).not.toMatch(/hw_nobody|127\.0\.0\.1|shop_0123/)
})

it('stores a new kind soon, and repetitions with the next round', async () => {
  await using patient = await openIngest({ refusalsStoredEveryMs: 3_600_000, clock: () => now })
  const requests = async (): Promise<number[]> =>
    (await patient.storage.registry.refusals.list('')).flatMap((day) => day.rows.map((row) => row.requests))
  const headers = { authorization: 'Bearer hw_nobody_knows_this' }
  await patient.post(body, headers)
  await expect.poll(requests, { timeout: 3_000 }).toEqual([1])
  await patient.post(body, headers)
  expect(await requests()).toEqual([1])
  await patient.post(body, { ...headers, origin: 'https://new.example' })
  await expect.poll(requests, { timeout: 3_000 }).toEqual([2, 1])
})

it('stores the refusals of the last seconds of a date before it begins the next date', async () => {
  await send('hw_nobody_knows_this')
  now += 86_400_000
  await send('hw_nobody_knows_this')
  await expect.poll(async () => (await stored()).map(({ date }) => date)).toEqual([DATE, '2026-03-31'])
  expect((await rows()).map(({ requests }) => requests)).toEqual([1, 1])
})

it('bounds the kinds of refusals of a date, and stores no origin for texts that are not origins', async () => {
  for (let n = 0; n < REFUSALS_PER_DAY_MAX + 7; n++) await send('hw_nobody_knows_this', `https://a${n}.example`)
  await send('short', 'javascript:alert(1)')
  await expect
    .poll(async () => (await rows()).find(({ requests }) => requests === 8))
    .toMatchObject({
      code: 'HOP_KEY_UNKNOWN',
      app: null,
      origin: null,
      key_hint: null,
    })
  expect(await rows()).toHaveLength(REFUSALS_PER_DAY_MAX + 1)
})

it('forgets dates that are too old', async () => {
  const { refusals } = ingest.storage.registry
  for (const date of [shiftDate(DATE, -REFUSAL_DAYS), shiftDate(DATE, 1 - REFUSAL_DAYS)]) {
    const day = { process: 'other', date, rows: [] }
    await refusals.put('', refusedDayId(day), day)
  }
  await send('hw_nobody_knows_this')
  await expect
    .poll(async () => (await stored()).map(({ date }) => date))
    .toEqual([shiftDate(DATE, 1 - REFUSAL_DAYS), DATE])
})
