import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { until } from '../installations/until.ts'
import { once, openReceiver, writeKey, type Receiver } from './receiver.ts'
import { openBrowser, openSite, type VisitedSite } from './visited-site.ts'

const SCRIPT = join(dirname(fileURLToPath(import.meta.resolve('@segment/analytics-next'))), '../umd/index.js')
const BOUND_MS = 15_000
let browser: Browser
let receiver: Receiver
let site: VisitedSite
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  receiver = await openReceiver()
  site = await siteWith({})
})

/** Site whose pages load the client as any would: only the address of the host is ours. */
function siteWith(options: object): Promise<VisitedSite> {
  const settings = `{ writeKey: '${writeKey}', cdnURL: '${receiver.url}' }`
  const load = `AnalyticsNext.AnalyticsBrowser.load(${settings}, ${JSON.stringify(options)})`
  const run = `<script>window.analytics = ${load}; analytics.page('Shop')</script>`
  const include = `<script src="/client.js"></script>${run}`
  return openSite(browser, SCRIPT, include, receiver.url)
}
afterEach(async () => {
  await site[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

interface Analytics {
  track(event: string, properties: object): Promise<unknown>
  identify(user: string, traits: object): Promise<unknown>
}

it('sends pages, events and the user from a page of another origin', async () => {
  const began = Date.now()
  const page = await site.visit('/cart?utm_source=news&utm_campaign=spring')
  await page.evaluate(async () => {
    const { analytics } = window as unknown as { analytics: Analytics }
    await analytics.track('Added', { price: 9.5 })
    await analytics.identify('ann', { plan: 'pro' })
  })
  // The client sends its calls concurrently.
  const logged = (await receiver.arrived(3)).sort((a, b) => (a.type < b.type ? -1 : 1))
  const visit = {
    device: 'desktop',
    browser: 'Chrome',
    referrer: 'search.example/',
    utm: { utm_source: 'news', utm_campaign: 'spring' },
  }
  expect(logged).toMatchObject([
    { type: 'custom', name: 'Added', data: { price: 9.5 }, current_url: `${site.url}/cart`, context: visit },
    { type: 'identify', user_id: 'ann', data: { plan: 'pro' }, context: visit },
    { type: 'url_change', from: 'https://search.example/', to: `${site.url}/cart`, context: visit },
  ])
  expect(new Set(logged.map(({ device_id }) => device_id)).size).toBe(1)
  expect(logged.every(({ context }) => context.bot === undefined)).toBe(true)
  for (const { timestamp } of logged) {
    expect(timestamp).toBeGreaterThanOrEqual(began)
    expect(timestamp).toBeLessThanOrEqual(Date.now())
  }
  expect(await receiver.logged()).toHaveLength(3)
  expect(receiver.answered.filter(({ status }) => status !== 200)).toEqual([])
  expect(site.elsewhere).toEqual([])
})

it.each(['refused', 'lost'] as const)('sends a %s event again, which counts once', async (how) => {
  receiver.fail(how, 2)
  const page = await site.visit('/')
  await page.evaluate(() => (window as unknown as { analytics: Analytics }).analytics.track('Added', {}))
  const logged = await receiver.arrived(2)
  expect(logged.map(({ type }) => type).sort()).toEqual(['custom', 'url_change'])
  await until(
    () => receiver.answered.filter(({ status, method }) => method === 'POST' && status === 200).length >= 2,
    BOUND_MS,
  )
  expect(receiver.answered.filter(({ status }) => status === 503)).toHaveLength(2)
  expect(await receiver.logged()).toHaveLength(how === 'lost' ? 4 : 2)
  expect(once(await receiver.logged())).toHaveLength(2)
})

it('sends batches where the site asks for them', async () => {
  const deliveryStrategy = { strategy: 'batching', config: { size: 2, timeout: 100 } }
  await using batching = await siteWith({ integrations: { 'Segment.io': { deliveryStrategy } } })
  const page = await batching.visit('/')
  await page.evaluate(() => (window as unknown as { analytics: Analytics }).analytics.track('Added', {}))
  expect((await receiver.arrived(2)).map(({ type }) => type).sort()).toEqual(['custom', 'url_change'])
  expect(new Set(receiver.answered.map(({ path, status }) => `${path} ${status}`))).toEqual(
    new Set([`/v1/projects/${writeKey}/settings 200`, '/v1/b 200']),
  )
})
