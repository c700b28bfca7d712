import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { archiveSketches, type Sketch } from './testing/archived.fixture.ts'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
/** lines of the log that ask somebody to act */
const problems: string[] = []
let url: string
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const headers = { authorization: `Bearer ${keys.read}`, 'content-type': 'application/json' }

/** 20,000 long texts, which fifty patterns need minutes to scan. */
beforeAll(async () => {
  const logger = pino({ level: 'warn' }, { write: (line: string) => void problems.push(line) })
  hopper = await openInstallation(openEmbedded, { logger })
  const text = (i: number): string => `${'a'.repeat(400)}${i}`
  for (let part = 0; part < 4; part++) {
    await archiveSketches(
      hopper.storage,
      'shop',
      0,
      DATE,
      part * 10_000,
      Array.from({ length: 5_000 }, (_, i): Sketch => ({
        device: `d${i % 50}`,
        time: T0 + i,
        data: { text: text(i) },
      })),
    )
  }
  await hopper.app.listen(0, '127.0.0.1')
  url = `${await hopper.app.getUrl()}/api/v1/apps/shop/query`
})
afterAll(() => hopper.close())

const query = (filters: object[]): string =>
  JSON.stringify({ start: DATE, end: DATE, data: [{ name: 'all', filters, unique: ['text'] }] })
const hostile = query([
  {
    type: 'or',
    filters: Array.from({ length: 50 }, (_, i) => ({ type: 'regex', key: 'text', value: `((a+)+b{${i}})+$` })),
  },
])
const metric = async (state: string): Promise<number> =>
  Number(new RegExp(`hopper_api_queries\\{state="${state}"\\} (\\d+)`).exec(await hopper.metrics())?.[1])

test('closing the connection ends the query; another query of the app is answered meanwhile', async () => {
  const leaving = new AbortController()
  const answer = fetch(url, { method: 'POST', headers, body: hostile, signal: leaving.signal }).catch(
    (error: Error) => error.name,
  )
  await expect.poll(() => metric('running'), { timeout: 15_000 }).toBe(1)
  const other = await fetch(url, { method: 'POST', headers, body: query([{ type: 'eq', key: 'text', value: 'b' }]) })
  expect([other.status, await metric('running')]).toEqual([200, 1])
  leaving.abort()
  expect(await answer).toBe('AbortError')
  await expect.poll(() => metric('running'), { timeout: 15_000 }).toBe(0)
  expect(problems).toEqual([])
}, 120_000)

test('a client of events gets progress, then the answer; an error before the first progress is ordinary', async () => {
  const accept = { ...headers, accept: 'text/event-stream' }
  const answer = await fetch(url, {
    method: 'POST',
    headers: accept,
    body: query([{ type: 'regex', key: 'text', value: 'a+1.*' }]),
  })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const events = (await answer.text())
    .split('\n\n')
    .filter(Boolean)
    .map((text) => /^event: (\w+)\ndata: (.*)$/.exec(text)!.slice(1) as [string, string])
  expect(events.map(([name]) => name)).toEqual([...new Array<string>(events.length - 1).fill('progress'), 'answer'])
  expect(JSON.parse(events[0]![1])).toMatchObject({ total: 20_000 })
  expect(JSON.parse(events.at(-1)![1])).toMatchObject({
    data: [{ name: 'all', count: 4 * 1_111 }],
    meta: { from: DATE },
  })
  const refused = await fetch(url, {
    method: 'POST',
    headers: accept,
    body: query([{ type: 'regex', key: 'text', value: '(' }]),
  })
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { error: { code: 'HOP_PARAM_INVALID', details: { fields: [{ field: 'data[0].filters[0].value' }] } } },
  ])
})

test('queries over the queue limit of a key are refused with Retry-After and the limit', async () => {
  const leaving = new AbortController()
  const waiting = Array.from({ length: 90 }, (_, i) =>
    fetch(url, { method: 'POST', headers, body: hostile.replace('"all"', `"all ${i}"`), signal: leaving.signal }).catch(
      () => undefined,
    ),
  )
  const first = await Promise.race(waiting)
  expect([first?.status, first?.headers.get('retry-after'), await first?.json()]).toMatchObject([
    429,
    '1',
    { error: { code: 'HOP_SHARE', details: { limit: 'queries_waiting_per_caller', max: 48 } } },
  ])
  expect(await metric('waiting')).toBeGreaterThan(32)
  leaving.abort()
  await Promise.all(waiting)
  await expect.poll(async () => (await metric('running')) + (await metric('waiting')), { timeout: 15_000 }).toBe(0)
}, 120_000)
