import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { browserArgs } from '../traffic/launch-browser.ts'
import { holdRequest } from './held-request.fixture.ts'
import { tabTo } from './keyboard.fixture.ts'
import { numberOf, openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable, forEachLook } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 90_000 })
/**
 * A newcomer waits at most 3 s for news: it is stored within 0.5 s, counted within 1 s, and looked for every
 * 1.5 s. The bound leaves room for a machine that runs other tests.
 */
const SOON = { timeout: 15_000 }
const WRONG_KEY = 'hw_no_such_key_anywhere_Wxyz'
const pages = ['/', '/pricing']
let dashboard: OpenedDashboard
let site: Server
let siteUrl: string
/** the head of each page of the site */
let tag = ''

beforeAll(async () => {
  dashboard = await openDashboard()
  site = createServer(({ url }, response) => {
    const links = pages.map((page) => `<a href="${page}">${page}</a>`).join(' ')
    response
      .writeHead(pages.includes(url!) ? 200 : 404, { 'content-type': 'text/html' })
      .end(`<!doctype html><title>Site</title><link rel="icon" href="data:,">${tag}<main>${links}</main>`)
  }).listen(0, '127.0.0.1')
  await once(site, 'listening')
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
}, 120_000)
afterAll(async () => {
  await dashboard?.close()
  site?.close()
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.page.setViewportSize({ width: 1_440, height: 900 })
  await dashboard.page.emulateMedia({ colorScheme: 'light' })
})

/** Visits the site as a new visitor, until the tracker has been answered. */
async function visit(browser: Browser): Promise<void> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const answered = page.waitForResponse(/\/v1\/(events|config)/)
  await page.goto(siteUrl)
  await answered
  await context.close()
}

describe('the first run', () => {
  it('leads from an empty app to a tag whose key works', async () => {
    const { page, installation } = dashboard
    await page.goto(`${installation.apiUrl}/a/my-site/overview`)
    await page.waitForURL('**/a/my-site/connect')
    await page.getByText('Waiting for your first event').waitFor()
    tag = (await page.getByRole('group', { name: 'HTML' }).locator('pre').textContent())!
    const [, key] = /data-key="(hw_[^"]+)"/.exec(tag)!
    const config = await fetch(`${installation.ingestUrl}/v1/config?key=${key}`)
    expect(config.status).toBe(200)
    await page.reload()
    await page.getByText(key!).waitFor()
  })

  it('says at once what arrives and why it does not count: a wrong key, another origin, a robot', async () => {
    const { page, browser, installation } = dashboard
    const log = page.getByRole('log')
    const right = tag
    tag = right.replace(/data-key="[^"]+"/, `data-key="${WRONG_KEY}"`)
    await visit(browser)
    await log.getByText(`refused: unknown key (ends in Wxyz), from ${siteUrl}.`).waitFor(SOON)

    tag = right
    const robots = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: browserArgs.filter((arg) => !arg.startsWith('--user-agent')),
    })
    await visit(robots)
    await robots.close()
    await log.getByText(/event.? from a robot \(HeadlessChrome/).waitFor(SOON)
    await page.getByText('Waiting for your first event').waitFor()

    const change = (origins: readonly string[]): Promise<number> =>
      page.evaluate(async (body) => {
        const { csrf } = (await (await fetch('/api/v1/me')).json()) as { csrf: string }
        const headers = { 'content-type': 'application/json', 'x-hopper-csrf': csrf }
        return (await fetch('/api/v1/apps/my-site', { method: 'PATCH', headers, body })).status
      }, JSON.stringify({ origins }))
    expect(await change(['https://shop.example'])).toBe(200)
    const refused = async (): Promise<number> => {
      const [, key] = /data-key="(hw_[^"]+)"/.exec(right)!
      const headers = { 'x-api-key': key!, 'content-type': 'application/json', origin: 'https://typo.example' }
      return (await fetch(`${installation.ingestUrl}/v1/events`, { method: 'POST', headers, body: '{"events":[]}' }))
        .status
    }
    await expect.poll(refused, SOON).toBe(403)
    await log.getByText('refused: origin not allowed, from https://typo.example.').waitFor(SOON)
    await forEachLook(page, () => expectUsable(page))
    expect(await change([])).toBe(200)
  })

  it('shows the first event, and the proposed funnel has the visit', async () => {
    const { page, browser } = dashboard
    const context = await browser.newContext()
    const visitor = await context.newPage()
    // ingest learns of changes to an app after some seconds
    await expect
      .poll(async () => {
        const sent = visitor.waitForResponse(/\/v1\/events/, { timeout: 5_000 }).catch(() => undefined)
        await visitor.goto(siteUrl)
        return (await sent)?.status()
      }, SOON)
      .toBe(202)
    await page.getByText('It works: opened').waitFor(SOON)
    await visitor.getByRole('link', { name: '/pricing' }).click()
    await page.getByRole('button', { name: 'Make this funnel' }).click(SOON)
    await context.close()
    await page.getByRole('link', { name: 'Open the funnel' }).click(SOON)
    await page.getByRole('heading', { level: 1, name: 'First funnel' }).waitFor()
    const stages = page.getByRole('list', { name: 'Funnel' }).locator('.stage .opens')
    await expect.poll(async () => (await stages.allTextContents()).map(numberOf), SOON).toEqual([1, 1])
    await dashboard.open('connect', 'my-site')
    await page.getByText('It works: this app has events until').waitFor()
  })
})

describe('the demo shop', () => {
  it('appears stage by stage while a visitor walks through it', async () => {
    const { page, browser, installation } = dashboard
    await dashboard.open('funnels/checkout?range=7d')
    await page.evaluate(() => ((window as { isSame?: boolean }).isSame = true))
    const context = await browser.newContext()
    const shop = await context.newPage()
    const stages = page.getByRole('list', { name: 'Funnel' }).locator('.stage .opens')
    const reached = async (): Promise<number> => {
      const counts = (await stages.allTextContents()).map(numberOf)
      return counts.filter((count) => count > 0).length
    }
    const configured = shop.waitForResponse(/\/v1\/config/)
    await shop.goto(`${installation.ingestUrl}/demo/spa/`)
    await (await configured).finished()
    await expect.poll(reached, SOON).toBe(1)
    const walk = ['#shop-now', 'a[data-page="/products/lamp"]', '#add', '#checkout', '#order']
    for (const [step, selector] of walk.entries()) {
      await shop.locator(selector).first().click()
      await expect.poll(reached, SOON).toBe(step + 2)
    }
    await context.close()
    expect(await page.evaluate(() => (window as { isSame?: boolean }).isSame)).toBe(true)
  })
})

describe('bad weather', () => {
  it('slow answers show skeletons, and old numbers dimmed under another range', async () => {
    const { page, installation } = dashboard
    const first = await holdRequest(page, /\/funnels\/query/)
    await page.goto(`${installation.apiUrl}/a/demo-shop/overview?range=7d`)
    await first.requested
    await page.locator('.skeleton').first().waitFor()
    expect(await page.locator('.headline').count()).toBe(0)
    first.release()
    await page.locator('.headline').waitFor()
    await page.unrouteAll({ behavior: 'wait' })
    const other = await holdRequest(page, /\/funnels\/query/)
    await page.keyboard.press('9')
    await other.requested
    await page.locator('.old .headline').waitFor()
    other.release()
    await page.locator('.old').waitFor({ state: 'detached' })
    await page.unrouteAll({ behavior: 'wait' })
  })

  it('only the card that fails shows an error, and its button tries again', async () => {
    const { page } = dashboard
    const error = { code: 'HOP_STORE_UNAVAILABLE', message: 'The store does not answer.' }
    await page.route(/\/clicks\?/, (route) => route.fulfill({ status: 503, json: { error } }))
    await dashboard.open('overview?range=7d')
    const alert = page.getByRole('alert').filter({ hasText: /\S/ })
    await alert.waitFor()
    await page.locator('.headline').waitFor()
    expect(await alert.count()).toBe(1)
    await expectUsable(page)
    await page.unrouteAll({ behavior: 'wait' })
    await alert.getByRole('button', { name: 'Try again' }).click()
    await alert.waitFor({ state: 'detached' })
  })

  it('without a connection there is one banner, which disappears by itself', async () => {
    const { page } = dashboard
    await dashboard.open('overview?range=7d')
    await page.locator('.headline').waitFor()
    await page.context().setOffline(true)
    await page.keyboard.press('9')
    await page.getByText('Hopper does not answer.').waitFor()
    expect(await page.getByRole('alert').filter({ hasText: /\S/ }).count()).toBe(1)
    await page.context().setOffline(false)
    await page.getByText('Hopper does not answer.').waitFor({ state: 'detached' })
    await page.locator('.headline').waitFor()
    await page.locator('.old').waitFor({ state: 'detached' })
  })

  it.each([
    ['nonsense', 'There is no such page.'],
    ['funnels/gone', 'There is no funnel “gone” in this app.'],
    ['overview?range=2026-02-02..2026-01-01', 'The address has a range that cannot be read'],
  ])('%s says that it leads nowhere, with a way out', async (path, title) => {
    const { page } = dashboard
    await dashboard.open(path)
    await page.getByRole('heading', { name: title, level: 1 }).waitFor()
    expect(await page.locator('.not-found a').count()).toBeGreaterThan(0)
    await expectUsable(page)
  })
})

describe('with keys alone', () => {
  it('every page is reached, names the tab, and has the focus on its heading', async () => {
    const { page } = dashboard
    await dashboard.open('overview?range=7d')
    const names = await page.locator('header.side nav a').allTextContents()
    expect(names.length).toBeGreaterThan(9)
    for (const name of names.slice(1)) {
      await tabTo(page, page.locator('header.side nav').getByRole('link', { name, exact: true }))
      await page.keyboard.press('Enter')
      const heading = page.getByRole('heading', { level: 1, name, exact: true })
      await heading.waitFor()
      await expect.poll(() => page.title()).toBe(`${name} · Demo shop · Hopper`)
      await expect.poll(() => heading.evaluate((one) => one === document.activeElement)).toBe(true)
    }
  })
})
