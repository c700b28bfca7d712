import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { until } from '../installations/until.ts'
import { openReceiver, writeKey, type Receiver } from './receiver.ts'
import { openBrowser, openSite, type VisitedSite } from './visited-site.ts'

const SCRIPT = join(dirname(fileURLToPath(import.meta.resolve('posthog-js'))), 'module.js')
const BOUND_MS = 18_000
let browser: Browser
let receiver: Receiver
let site: VisitedSite
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  receiver = await openReceiver()
  const settings = { api_host: receiver.url, capture_pageleave: true, request_queue_config: { flush_interval_ms: 250 } }
  const init = `posthog.init('${writeKey}', ${JSON.stringify(settings)})`
  const include = `<script type="module">import posthog from '/client.js'; window.posthog = posthog; ${init}</script>`
  site = await openSite(browser, SCRIPT, include, receiver.url)
})
afterEach(async () => {
  await site[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

interface PostHog {
  capture(event: string, properties?: object, options?: object): unknown
  identify(user: string, traits: object): void
}

it('sends pages, events and the user from a page of another origin', async () => {
  const began = Date.now()
  const page = await site.visit('/cart?utm_source=news&utm_campaign=spring')
  await page.waitForFunction(() => 'posthog' in window)
  await page.evaluate(() => {
    const { posthog } = window as unknown as { posthog: PostHog }
    posthog.capture('added', { price: 9.5 })
    posthog.identify('ann', { plan: 'pro' })
    posthog.capture('paid')
  })
  const logged = await receiver.arrived(4)
  await page.goto('about:blank')
  const [left] = (await receiver.arrived(5)).filter((event) => event['name'] === '$pageleave')
  const visit = {
    device: 'desktop',
    browser: 'Chrome',
    referrer: 'search.example/',
    utm: { utm_source: 'news', utm_campaign: 'spring' },
  }
  const [view, added, identified, paid] = logged
  expect(view).toMatchObject({
    type: 'url_change',
    from: 'https://search.example/',
    to: `${site.url}/cart`,
    context: visit,
  })
  expect(added).toMatchObject({ name: 'added', data: { price: 9.5 }, current_url: `${site.url}/cart`, context: visit })
  expect(added).not.toHaveProperty('user_id')
  expect(identified).toMatchObject({ type: 'identify', user_id: 'ann', data: { plan: 'pro' } })
  expect(paid).toMatchObject({ name: 'paid', user_id: 'ann' })
  expect(left).toMatchObject({ user_id: 'ann', current_url: `${site.url}/cart` })
  for (const { device_id, session_id, timestamp, context } of [...logged, left!]) {
    expect([device_id, session_id, context.bot]).toEqual([view!.device_id, view!['session_id'], undefined])
    expect(timestamp).toBeGreaterThanOrEqual(began)
    expect(timestamp).toBeLessThanOrEqual(Date.now())
  }
  expect(await receiver.logged()).toHaveLength(5)
  expect(receiver.answered.filter(({ status }) => status !== 200)).toEqual([])
  expect(site.elsewhere).toEqual([])
})

it('sends a lost event again, which counts once, at its original time', async () => {
  receiver.fail('lost', 1)
  const page = await site.visit('/')
  await page.waitForFunction(() => 'posthog' in window)
  const [view] = await receiver.arrived(1)
  await until(async () => (await receiver.logged()).length === 2, BOUND_MS)
  const [first, second] = await receiver.logged()
  expect(first).toMatchObject({ type: 'url_change', event_id: view!.event_id })
  expect(second).toMatchObject({ type: 'url_change', event_id: view!.event_id, timestamp: view!.timestamp })
})

it('does not repeat a recording that is refused, as recordings are not supported', async () => {
  const page = await site.visit('/')
  await page.waitForFunction(() => 'posthog' in window)
  await receiver.arrived(1)
  await page.clock.install()
  const recordings = (): number =>
    receiver.answered.filter(({ path, status }) => path === '/s/' && status === 404).length
  await page.evaluate((host) => {
    const recording = { _url: `${host}/s/`, _batchKey: 'recordings', send_instantly: true }
    ;(window as unknown as { posthog: PostHog }).posthog.capture('$snapshot', { $snapshot_data: [] }, recording)
  }, receiver.url)
  await until(() => recordings() === 1, BOUND_MS)
  // far beyond the longest pause before a request is repeated
  await page.clock.runFor(3_600_000)
  await page.evaluate(() => {
    ;(window as unknown as { posthog: PostHog }).posthog.capture('later', {}, { send_instantly: true })
  })
  await receiver.arrived(2)
  expect(recordings()).toBe(1)
})
