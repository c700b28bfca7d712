import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { traffic } from '@hopper/cli/load/traffic'
import type { PageViews, Status, Traffic } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canCompose, composed, type Composed } from '../installations/compose.ts'
import { environment } from '../installations/config.ts'
import { demoShopSuite } from '../demo-shop-suite.fixture.ts'
import { whenCounted, getJson } from '../installations/installation.ts'
import { agents } from '../traffic/random-traffic.ts'
import { until } from '../installations/until.ts'

const START_TIMEOUT_MS = 900_000
const DEMO_KEY = 'hw_demo_shop_of_docker_compose'
const services = ['kafka', 'cassandra', 'ingest', 'aggregator', 'api', 'proxy']
// If DOCKER_HOST names an engine, it must work; otherwise nothing is built or started unasked.
const wanted = environment.DOCKER_HOST !== undefined

const DAY_MS = 86_400_000
const date = (ms: string | number): string => new Date(ms).toISOString().slice(0, 10)
/** Dates from this one on are left to other tests, which send events of their own. */
const testedFrom = date(Date.now())
const docker = async (...args: string[]): Promise<string> => (await promisify(execFile)('docker', args)).stdout

describe.skipIf(!wanted)('docker compose up', () => {
  let installation: Composed
  beforeAll(async () => {
    expect(await canCompose()).toBe(true)
    installation = composed()
    await installation.start()
  }, START_TIMEOUT_MS)
  afterAll(() => installation?.dispose(), 120_000)

  // The suite would start and end the installation that it is given, but this one must continue.
  demoShopSuite(async () => ({ ...installation, start: async () => undefined, dispose: async () => undefined }))

  it.each(services)(
    'continues after a restart of %s, and loses nothing',
    async (service) => {
      const url = `/restarted/${service}`
      await view(url)
      const restarted = installation.compose('restart', service)
      await view(url)
      await restarted
      await view(url)
      await until(async () => (await views(url).catch(() => 0)) === 3, 120_000)
      await whenCounted(installation, readKey())
      expect(await views(url)).toBe(3)
    },
    240_000,
  )

  it('runs with two ingest processes and two aggregators, continues with one of each, and loses nothing', async () => {
    await installation.compose('up', '-d', '--no-recreate', '--wait', '--scale', 'ingest=2', '--scale', 'aggregator=2')
    await until(async () => {
      const lanes = await Promise.all([1, 2].map(lanesOf))
      return lanes.every((own) => own.length === 4) && new Set(lanes.flat()).size === 8
    }, 60_000)
    const before = await Promise.all([1, 2].map(acknowledgedBy))
    for (let sent = 0; sent < 40; sent++) expect((await send('/shared')).status).toBe(202)
    const after = await Promise.all([1, 2].map(acknowledgedBy))
    const taken = after.map((count, index) => count - before[index]!)
    expect(taken[0]! + taken[1]!).toBe(40)
    expect(Math.min(...taken)).toBeGreaterThan(5)
    await whenCounted(installation, readKey())
    expect(await views('/shared')).toBe(40)
    await installation.compose('up', '-d', '--no-recreate', '--wait', '--scale', 'ingest=1', '--scale', 'aggregator=1')
    await view('/shared')
    await until(async () => (await views('/shared')) === 41, 60_000)
  }, 240_000)

  it('counts what another system writes to the topic hopper.external, within a minute', async () => {
    const event = {
      app: 'demo-shop',
      type: 'url_change',
      from: '',
      to: '/of/a/till',
      elapsed_time: 0,
      device_id: 'till',
    }
    const record = JSON.stringify({ ...event, event_id: randomUUID(), timestamp: Date.now() })
    const producer = '/opt/kafka/bin/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic hopper.external'
    // Twice, as a producer that repeats itself.
    const command = `printf '%s\\n%s\\n' '${record}' '${record}' | ${producer}`
    await installation.compose('exec', '-T', 'kafka', 'bash', '-c', command)
    await until(async () => (await views('/of/a/till')) > 0, 60_000)
    await whenCounted(installation, readKey())
    expect(await views('/of/a/till')).toBe(1)
  }, 180_000)

  it('counts every event of a year of the demo within the memory of its aggregator', async () => {
    const plan = {
      seed: 'hopper',
      untilMs: Math.floor(Date.now() / 1_000) * 1_000,
      days: 365,
      visitors: 12_000,
      origin: 'http://ingest:8080',
    }
    const before = await fates()
    const endsAt = new Date(plan.untilMs).toISOString()
    await installation.compose(
      'run',
      '--rm',
      'demo',
      'load',
      '--demo',
      '--url',
      plan.origin,
      '--key',
      DEMO_KEY,
      '--until',
      endsAt,
    )
    await whenCounted(installation, readKey(), 900_000)
    const truth = truthOf(plan)
    const after = await fates()
    const found = (fate: string): number => (after.get(fate) ?? 0) - (before.get(fate) ?? 0)
    expect(Object.fromEntries(Object.keys(truth.fates).map((fate) => [fate, found(fate)]))).toEqual(truth.fates)
    const days = await getJson<Traffic>(
      installation,
      `/api/v1/apps/demo-shop/traffic?by=day&from=${date(plan.untilMs - 366 * DAY_MS)}&to=${date(plan.untilMs)}`,
      readKey(),
    )
    const countedOn = new Map(days.rows.map(({ time, events }) => [date(time), events]))
    for (const [day, events] of truth.days)
      if (day < testedFrom) expect([day, countedOn.get(day)]).toEqual([day, events])

    const aggregator = (await installation.compose('ps', '-q', 'aggregator')).trim()
    const state = await docker(
      'inspect',
      '--format',
      '{{.RestartCount}} {{.State.OOMKilled}} {{.State.Health.Status}}',
      aggregator,
    )
    expect(state.trim()).toBe('0 false healthy')
  }, 1_500_000)

  /**
   * Computes the expected result of the demo's traffic from its generator: events by fate, and those that count by UTC
   * date.
   */
  function truthOf(plan: Parameters<typeof traffic>[0]): { fates: Record<string, number>; days: Map<string, number> } {
    const seen = new Set<string>()
    const found = { accepted: 0, bot: 0, duplicate: 0, late: 0, rejected: 0 }
    const days = new Map<string, number>()
    for (const { userAgent, events } of [...traffic(plan)].flatMap(({ batches }) => batches)) {
      for (const { event_id, timestamp } of events) {
        const isBot = /bot|crawl|spider|headless/i.test(userAgent)
        if (seen.has(event_id!)) found.duplicate++
        else if (isBot) found.bot++
        else {
          found.accepted++
          days.set(date(Number(timestamp)), (days.get(date(Number(timestamp))) ?? 0) + 1)
        }
        seen.add(event_id!)
      }
    }
    return { fates: found, days }
  }

  /** Returns events by fate, for the last 30 days of receipt. */
  async function fates(): Promise<Map<string, number>> {
    const sums = new Map<string, number>()
    const { fates: rows } = await getJson<Status>(installation, '/api/v1/status', readKey())
    for (const { fate, events } of rows) sums.set(fate, (sums.get(fate) ?? 0) + events)
    return sums
  }

  /** Returns the lanes that an aggregator owns. */
  async function lanesOf(index: number): Promise<string[]> {
    return [...(await metricsOf('aggregator', index)).matchAll(/^hopper_aggregator_lag\{lane="(\d+)"\}/gm)].map(
      ([, lane]) => lane!,
    )
  }

  /** Returns the number of requests that one container of ingest has acknowledged. */
  async function acknowledgedBy(index: number): Promise<number> {
    return Number(
      /^hopper_ingest_requests_total\{status="202"[^}]*\} (\d+)/m.exec(await metricsOf('ingest', index))?.[1] ?? 0,
    )
  }

  function metricsOf(service: string, index: number): Promise<string> {
    const script = "fetch('http://127.0.0.1:8080/metrics').then(async (r) => console.log(await r.text()))"
    return installation.compose('exec', '--index', String(index), service, 'node', '-e', script)
  }

  function readKey(): string {
    return /read key of demo-shop\s+(hr_\S+)/.exec(installation.output())![1]!
  }

  async function views(url: string): Promise<number> {
    const { rows } = await getJson<PageViews>(installation, '/api/v1/apps/demo-shop/pages/views', readKey())
    return rows.find((row) => row.url === url)?.views ?? 0
  }

  /** Sends one page view until it is acknowledged. */
  async function view(url: string): Promise<void> {
    await until(async () => (await send(url).catch(() => undefined))?.status === 202, 120_000)
  }

  function send(url: string): Promise<Response> {
    const event = {
      type: 'url_change',
      event_id: randomUUID(),
      timestamp: Date.now(),
      from: '',
      to: url,
      elapsed_time: 0,
    }
    const headers = { 'content-type': 'application/json', 'x-api-key': DEMO_KEY, 'user-agent': agents[0]!.userAgent }
    const body = JSON.stringify({ device_id: randomUUID(), events: [event] })
    return fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(20_000),
    })
  }
})
