import { randomUUID } from 'node:crypto'
import type { PageViews } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canCompose, composed, type Composed } from './compose.ts'
import { environment } from './config.ts'
import { demoShopSuite } from './demo-shop-suite.fixture.ts'
import { counted, getJson } from './product.ts'
import { agents } from './random-traffic.ts'
import { until } from './until.ts'

const START_MS = 900_000
const DEMO_KEY = 'hw_demo_shop_of_docker_compose'
const services = ['kafka', 'cassandra', 'ingest', 'aggregator', 'api']
// Where DOCKER_HOST names an engine it must do; elsewhere nothing is built and started unasked.
const wanted = environment.DOCKER_HOST !== undefined

describe.skipIf(!wanted)('docker compose up', () => {
  let product: Composed
  beforeAll(async () => {
    expect(await canCompose()).toBe(true)
    product = composed()
    await product.start()
  }, START_MS)
  afterAll(() => product?.dispose(), 120_000)

  // The suite starts and ends what it is given; this one outlives it.
  demoShopSuite(async () => ({ ...product, ingestUrl: product.ingestUrl, start: async () => undefined, dispose: async () => undefined }))

  it.each(services)('goes on after a restart of %s, and loses nothing', async (service) => {
    const url = `/restarted/${service}`
    await view(url)
    const restarted = product.compose('restart', service)
    await view(url)
    await restarted
    await view(url)
    await until(async () => (await views(url).catch(() => 0)) === 3, 120_000)
    await counted(product, readKey())
    expect(await views(url)).toBe(3)
  }, 240_000)

  it('is shared by two of ingest and two aggregators, and goes on with one of each, and loses nothing', async () => {
    await product.compose('up', '-d', '--no-recreate', '--wait', '--scale', 'ingest=2', '--scale', 'aggregator=2')
    await until(async () => {
      const lanes = await Promise.all([1, 2].map(lanesOf))
      return lanes.every((own) => own.length === 4) && new Set(lanes.flat()).size === 8
    }, 60_000)
    const ports = await Promise.all([1, 2].map(async (index) => (await product.compose('port', '--index', String(index), 'ingest', '8080')).trim()))
    expect(new Set(ports).size).toBe(2)
    for (const port of ports) for (let sent = 0; sent < 20; sent++) expect((await send(`http://${port}`, '/shared')).status).toBe(202)
    await counted(product, readKey())
    expect(await views('/shared')).toBe(40)
    await product.compose('up', '-d', '--no-recreate', '--wait', '--scale', 'ingest=1', '--scale', 'aggregator=1')
    await view('/shared')
    await until(async () => (await views('/shared')) === 41, 60_000)
  }, 240_000)

  /** The lanes that an aggregator has. */
  async function lanesOf(index: number): Promise<string[]> {
    const metrics = await product.compose('exec', '--index', String(index), 'aggregator', 'node', '-e', "fetch('http://127.0.0.1:8080/metrics').then(async (r) => console.log(await r.text()))")
    return [...metrics.matchAll(/^hopper_aggregator_lag\{lane="(\d+)"\}/gm)].map(([, lane]) => lane!)
  }

  function readKey(): string {
    return /read key of demo-shop\s+(hr_\S+)/.exec(product.output())![1]!
  }

  async function views(url: string): Promise<number> {
    const { rows } = await getJson<PageViews>(product, '/api/v1/apps/demo-shop/pages/views', readKey())
    return rows.find((row) => row.url === url)?.views ?? 0
  }

  /** One page view, sent until it is acknowledged. */
  async function view(url: string): Promise<void> {
    await until(async () => {
      await product.findIngest().catch(() => undefined)
      return (await send(product.ingestUrl, url).catch(() => undefined))?.status === 202
    }, 120_000)
  }

  function send(ingestUrl: string, url: string): Promise<Response> {
    const event = { type: 'url_change', event_id: randomUUID(), timestamp: Date.now(), from: '', to: url, elapsed_time: 0 }
    const headers = { 'content-type': 'application/json', 'x-api-key': DEMO_KEY, 'user-agent': agents[0]!.userAgent }
    const body = JSON.stringify({ device_id: randomUUID(), events: [event] })
    return fetch(`${ingestUrl}/v1/events`, { method: 'POST', headers, body, signal: AbortSignal.timeout(20_000) })
  }
})
