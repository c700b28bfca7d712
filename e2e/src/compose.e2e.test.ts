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
    const readKey = /read key of demo-shop\s+(hr_\S+)/.exec(product.output())![1]!
    const views = async (): Promise<number> => {
      const { rows } = await getJson<PageViews>(product, '/api/v1/apps/demo-shop/pages/views', readKey)
      return rows.find(({ url }) => url === `/restarted/${service}`)?.views ?? 0
    }
    await view(service)
    const restarted = product.compose('restart', service)
    await view(service)
    await restarted
    await view(service)
    await until(async () => (await views().catch(() => 0)) === 3, 120_000)
    await counted(product, readKey)
    expect(await views()).toBe(3)
  }, 240_000)

  /** One page view, sent until it is acknowledged. */
  async function view(service: string): Promise<void> {
    const event = { type: 'url_change', event_id: randomUUID(), timestamp: Date.now(), from: '', to: `/restarted/${service}`, elapsed_time: 0 }
    const headers = { 'content-type': 'application/json', 'x-api-key': DEMO_KEY, 'user-agent': agents[0]!.userAgent }
    const body = JSON.stringify({ device_id: randomUUID(), events: [event] })
    await until(async () => {
      await product.findIngest().catch(() => undefined)
      const answer = await fetch(`${product.ingestUrl}/v1/events`, { method: 'POST', headers, body, signal: AbortSignal.timeout(20_000) }).catch(() => undefined)
      return answer?.status === 202
    }, 120_000)
  }
})
