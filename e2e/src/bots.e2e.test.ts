import type { BotRule } from '@hopper/contracts'
import { afterEach, expect, it } from 'vitest'
import { getJson, whenCounted, whenReviewed, type Installation } from './installations/installation.ts'
import { standalone } from './installations/standalone.ts'
import { until } from './installations/until.ts'

const REVIEWED_MS_MAX = 60_000
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const rule: BotRule = { kind: 'browser', value: 'firefox', action: 'bot' }
const appOf = (id: string) => ({
  id,
  name: id,
  timezone: 'UTC',
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
})
/** `later` gets a rule when its events are counted; `early` had it from the start. */
const [later, early] = [appOf('later'), { ...appOf('early'), bot_rules: [rule] }]
type TestApp = ReturnType<typeof appOf>
const admin = 'ha_bots_0123456789abcdef'
const provision = { organizations: [{ id: 'o', name: 'O', admin_key: admin, apps: [later, early] }] }
const showRobots = {
  type: 'or',
  filters: [
    { type: 'all', key: 'bot' },
    { type: 'not', filter: { type: 'all', key: 'bot' } },
  ],
}

let installation: Installation
afterEach(() => installation.dispose())

interface Visit {
  readonly device: string
  readonly pages: readonly string[]
  readonly userAgent: string
  readonly webdriver?: boolean
}

/** Sends the events of a visit as the tracker does, at times that depend on the page only. */
async function send(app: TestApp, now: number, { device, pages, userAgent, webdriver }: Visit): Promise<void> {
  const events = pages.map((page, index) => ({
    ...{ type: 'url_change', event_id: `${device} ${page}`, timestamp: now - 60_000 + index * 1_000, seq: index },
    ...{ from: '', to: `https://shop.example${page}`, elapsed_time: 0 },
  }))
  const answer = await fetch(`${installation.ingestUrl}/v1/events?key=${app.write_key}`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'text/plain', 'user-agent': userAgent },
      ...{ origin: 'https://shop.example', 'accept-language': 'de' },
    },
    body: JSON.stringify({ device_id: device, session_id: `visit of ${device}`, webdriver, events }),
  })
  expect(answer.status).toBe(202)
}

async function call(method: string, path: string, key: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${installation.apiUrl}/api/v1/apps/${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
  return answer.json()
}

const visits: readonly Visit[] = [
  { device: 'half', pages: ['/a', '/b'], userAgent: chrome },
  { device: 'human', pages: ['/a'], userAgent: chrome },
  { device: 'half', pages: ['/c'], userAgent: chrome, webdriver: true },
  { device: 'half', pages: ['/d'], userAgent: chrome },
  { device: 'fox', pages: ['/a', '/e'], userAgent: firefox },
]

async function views(app: TestApp): Promise<Record<string, number>> {
  type Answer = { rows: { url: string; views: number }[] }
  const { rows } = await getJson<Answer>(installation, `/api/v1/apps/${app.id}/pages/views`, app.read_key)
  return Object.fromEntries(rows.map((row) => [row.url.replace('shop.example', ''), row.views]))
}

const untilViews = (app: TestApp, expected: Record<string, number>): Promise<void> =>
  until(async () => JSON.stringify(await views(app)) === JSON.stringify(expected), REVIEWED_MS_MAX)

const untilReviewed = (app: TestApp): Promise<void> => whenReviewed(installation, app.id, app.read_key, REVIEWED_MS_MAX)

/** Returns the answers of reports of tables and of the archive, without what they say about themselves. */
async function answers(app: TestApp): Promise<unknown[]> {
  const reports = [
    'pages/views',
    'agents?by=browser',
    'agents?by=os',
    'traffic?by=day',
    'sources?by=channel',
    'journeys',
  ]
  const found = reports.map(async (report) => {
    const { meta: _, ...answer } = await getJson<{ meta: object }>(
      installation,
      `/api/v1/apps/${app.id}/${report}`,
      app.read_key,
    )
    return answer
  })
  return Promise.all(found)
}

async function count(app: TestApp, filters: readonly object[]): Promise<number> {
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
  const body = { start: day(Date.now() - 86_400_000), end: day(Date.now()), data: [{ name: 'all', filters }] }
  const { data } = (await call('POST', `${app.id}/query`, app.read_key, body)) as { data: { count: number }[] }
  return data[0]!.count
}

it('counts nothing of a visit that is partly that of a bot, applies a rule to the past, and reverts it', async () => {
  installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' } })
  await installation.start()
  const now = Date.now()
  for (const app of [later, early]) for (const visit of visits) await send(app, now, visit)
  await whenCounted(installation, later.read_key)

  await untilViews(later, { '/a': 2, '/e': 1 })
  await untilViews(early, { '/a': 1 })
  const path = `/api/v1/apps/later/events/${encodeURIComponent('half /a')}`
  expect(await getJson(installation, path, later.read_key)).toMatchObject({ fate: 'bot', reason: 'webdriver' })
  expect([await count(later, []), await count(later, [showRobots])]).toEqual([3, 7])

  await call('PATCH', 'later', admin, { bot_rules: [rule] })
  await untilReviewed(later)
  expect(await views(later)).toEqual({ '/a': 1 })
  expect(await answers(later)).toEqual(await answers(early))

  await installation.stop('SIGKILL')
  await installation.start()
  await call('PATCH', 'later', admin, { bot_rules: [] })
  await untilReviewed(later)
  expect(await views(later)).toEqual({ '/a': 2, '/e': 1 })
  expect(await views(early)).toEqual({ '/a': 1 })

  await call('PATCH', 'later', admin, { bot_rules: [{ kind: 'page', value: '/c', action: 'human' }] })
  await untilReviewed(later)
  expect(await views(later)).toEqual({ '/a': 3, '/b': 1, '/c': 1, '/d': 1, '/e': 1 })
  expect(await count(later, [])).toBe(7)
  expect(await installation.stop('SIGTERM')).toEqual([])
  expect(await installation.run(['audit'])).toContain('No drift')
}, 240_000)
