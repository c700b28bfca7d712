import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page, Request } from 'playwright-core'
import type { FunnelAnswer, SharedLinks } from '@hopper/contracts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { numberOf, openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const IDLE_BYTES_MAX = 20_000
const SLOW = { timeout: 60_000 }
const range = { from: dateBefore(20), to: dateBefore(11) }
const rangeText = `${range.from}..${range.to}`
const desktop = { type: 'eq' as const, key: 'device', value: 'desktop' }
const PASSWORD = 'three blue kettles sing'

let dashboard: OpenedDashboard
const contexts: BrowserContext[] = []
const servers: Server[] = []

beforeAll(async () => {
  dashboard = await openDashboard({ days: 30, visitors: 400 })
}, 400_000)
afterAll(async () => {
  for (const server of servers) server.close()
  await dashboard?.close()
})
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  expect(dashboard.complaints).toEqual([])
})

function dateBefore(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)
}

/** A browser that has never seen this Hopper. */
async function stranger(): Promise<Page> {
  const context = await dashboard.browser.newContext({ viewport: { width: 1_280, height: 900 } })
  contexts.push(context)
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  return page
}

interface Choices {
  readonly name: string
  readonly password?: string
  readonly origins?: string
}

/** Shares the page that is open, as an owner does. Returns the texts that are shown once. */
async function share({ name, password = '', origins = '' }: Choices): Promise<string[]> {
  const { page } = dashboard
  await page.getByRole('button', { name: 'Share', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Share this view' })
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByLabel(/^Password/).fill(password)
  await dialog.getByLabel(/^Sites/).fill(origins)
  await dialog.getByRole('button', { name: 'Create the link' }).click()
  await dialog.locator('pre').first().waitFor()
  const texts = await dialog.locator('pre').allTextContents()
  await dialog.getByRole('button', { name: 'Close' }).click()
  return texts
}

const counts = (page: Page): Promise<number[]> =>
  page
    .getByRole('list', { name: 'Funnel' })
    .locator('.stage .opens')
    .allTextContents()
    .then((texts) => texts.map(numberOf))
const expected = (): Promise<number[]> =>
  dashboard
    .ask({ ...range, funnel: 'checkout', filters: [desktop] })
    .then(({ steps }: FunnelAnswer) => steps.map(({ count }) => count))

async function endInSettings(name: string): Promise<void> {
  const { page } = dashboard
  await dashboard.open('settings')
  await page.getByRole('button', { name: `End the link ${name}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'End' }).click()
  await page.getByRole('button', { name: `End the link ${name}` }).waitFor({ state: 'detached' })
}

describe('a shared funnel', () => {
  it('asks for its password, shows the numbers of the API with its filter, and stops when ended', async () => {
    await dashboard.open(`funnels/checkout?range=${rangeText}&f=device:desktop`)
    const [url] = await share({ name: 'For the board', password: PASSWORD })
    const page = await stranger()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(url!)
    await page.getByLabel('Password').fill('a wrong password')
    await page.getByRole('button', { name: 'Open the view' }).click()
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor()
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Open the view' }).click()
    await page.locator('.numbers').first().waitFor()
    expect(await counts(page)).toEqual(await expected())
    expect(await page.getByRole('region', { name: 'Shared view' }).textContent()).toMatch(
      /Demo shop.*Device is desktop.*For the board until/,
    )
    const [path, token] = url!.split('#') as [string, string]
    expect(page.url()).toBe(path)
    expect(asked.filter((one) => one.includes(token))).toEqual([])
    // nothing leads elsewhere
    expect(await page.getByRole('navigation').count()).toBe(0)
    expect(await page.locator('main a').count()).toBe(0)
    await expectUsable(page)
    // a reload needs neither link nor password
    await page.reload()
    await page.locator('.numbers').first().waitFor()
    expect(await counts(page)).toEqual(await expected())
    await endInSettings('For the board')
    await page.getByRole('heading', { name: 'This link no longer works' }).waitFor({ timeout: 15_000 })
    await page.goto(url!)
    await page.getByRole('heading', { name: 'This link no longer works' }).waitFor()
  })

  it('can be open beside another one and beside a login', async () => {
    await dashboard.open(`funnels/checkout?range=${rangeText}&f=device:desktop`)
    const [one] = await share({ name: 'One' })
    await dashboard.open(`funnels/checkout?range=${rangeText}`)
    const [all] = await share({ name: 'All' })
    const context = dashboard.page.context()
    const [first, second] = [await context.newPage(), await context.newPage()]
    await first.goto(one!)
    await second.goto(all!)
    await second.locator('.numbers').first().waitFor()
    await first.reload()
    await first.locator('.numbers').first().waitFor()
    expect(await counts(first)).toEqual(await expected())
    const { steps } = await dashboard.ask({ ...range, funnel: 'checkout' })
    expect(await counts(second)).toEqual(steps.map(({ count }) => count))
    await Promise.all([first.close(), second.close()])
    await dashboard.open('settings')
    const links = dashboard.page.getByRole('region', { name: 'Shared links' })
    await links.getByText('last used').first().waitFor()
    expect(await links.getByText('never used').count()).toBe(0)
  })
})

describe('a note on a trend', () => {
  it('is made beside the trend, marked on it, shown to readers without its author, and removed', async () => {
    const { page } = dashboard
    const text = '<b>New checkout</b>'
    await dashboard.open(`funnels/checkout?range=${rangeText}`)
    await page.getByRole('button', { name: 'Add a note' }).click()
    const dialog = page.getByRole('dialog', { name: 'Note what happened' })
    await dialog.getByLabel('Date').fill(dateBefore(15))
    await dialog.getByLabel('What happened').fill(text)
    await dialog.getByRole('button', { name: 'Save' }).click()
    const notes = page.getByRole('list', { name: 'Notes' })
    await notes.getByText(text).waitFor()
    expect(await notes.textContent()).toContain('by Owner')
    expect(await page.locator('.line-chart .note').count()).toBe(1)
    const [url] = await share({ name: 'Noted' })
    const reader = await stranger()
    await reader.goto(url!)
    const seen = reader.getByRole('list', { name: 'Notes' })
    await seen.getByText(text).waitFor()
    expect(await seen.textContent()).not.toContain('Owner')
    expect(await seen.getByRole('button').count()).toBe(0)
    await page.getByRole('button', { name: `Delete the note ${text}` }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await notes.waitFor({ state: 'detached' })
  })
})

describe('other shared views', () => {
  it.each([
    ['overview', 'overview', 'Overview'],
    ['overview with a filter', 'overview?f=device:desktop', 'Overview'],
    ['journeys', 'journeys', 'Journeys'],
    ['elements', 'elements', 'Elements'],
    ['a question', 'explore?what=type:click&by=device&as=bar&f=device:desktop', 'Explore'],
    ['who comes back', 'explore?as=retention&each=day&what=type:click&again=type:url_change', 'Explore'],
  ])('show %s to a stranger, without a refused call', async (name, path, title) => {
    await dashboard.open(path.includes('?') ? `${path}&range=${rangeText}` : `${path}?range=${rangeText}`)
    const [url] = await share({ name })
    const page = await stranger()
    const refused: string[] = []
    page.on('response', (answer) => {
      if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.url()}`)
    })
    await page.goto(url!)
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    await page.waitForLoadState('networkidle')
    await page.locator('main .card').first().waitFor()
    expect(await page.locator('main [role=alert]').count()).toBe(0)
    expect(refused).toEqual([])
    expect(await page.locator('main a').count()).toBe(0)
    await expectUsable(page)
  })

  it('are refused for what may be about single people, with the reason', async () => {
    const { page } = dashboard
    for (const [query, reason] of [
      ['as=events', 'Single events cannot be shared'],
      ['by=device&as=line', 'Lines for each value cannot be shared'],
      ['by=user_id', 'This breakdown may be about single people'],
      ['what=user_id:ann', 'A filter on people, devices or sessions cannot be shared'],
    ]) {
      await dashboard.open(`explore?${query}`)
      await page.getByRole('button', { name: 'Share', exact: true }).click()
      await page.getByRole('alert').filter({ hasText: reason! }).waitFor()
    }
  })

  it('show new events by themselves', async () => {
    const { page: own } = dashboard
    const event = `order-${Date.now()}`
    const buy = (device: string): Promise<void> => dashboard.send(device, [{ type: 'custom', name: event }])
    await buy('shared-1')
    await dashboard.open(`explore?what=name:${event}&as=bar&range=today`)
    await own.locator('.explore-total').filter({ hasText: /^1 / }).waitFor()
    const [url] = await share({ name: 'Live' })
    const page = await stranger()
    const stream = page.waitForResponse((answer) => answer.url().includes('/changes?'))
    await page.goto(url!)
    const total = page.locator('.explore-total')
    await total.filter({ hasText: /^1 / }).waitFor()
    expect((await stream).status()).toBe(200)
    await buy('shared-2')
    await total.filter({ hasText: /^2 / }).waitFor({ timeout: 15_000 })
  })

  it.each([
    ['whose dates are over only asks whether its link still holds', rangeText, false],
    ['with today listens for changes', '30d', true],
  ])('%s, and an idle minute is at most 20 kB', async (_, dates, isLive) => {
    for (const path of ['overview', 'funnels/checkout']) {
      await dashboard.open(`${path}?range=${dates}`)
      const [url] = await share({ name: `Idle ${path} ${dates}` })
      const page = await stranger()
      const asked: Request[] = []
      const open = new Set<Request>()
      page.on('request', (request) => {
        // a stream has no end, and so no size
        if (request.url().includes('/changes?')) return
        asked.push(request)
        open.add(request)
      })
      for (const event of ['requestfinished', 'requestfailed'] as const)
        page.on(event as 'requestfinished', (request) => open.delete(request))
      const isQuiet = (): Promise<void> => expect.poll(() => open.size, SLOW).toBe(0)
      await page.clock.install()
      await page.goto(url!)
      await page.locator('main .card').first().waitFor({ timeout: SLOW.timeout })
      await page.locator('main .skeleton').first().waitFor({ state: 'detached', timeout: SLOW.timeout })
      await isQuiet()
      // answers are polled a minute after they came
      await page.clock.runFor(MINUTE_MS)
      await isQuiet()
      const before = asked.length
      await page.clock.runFor(MINUTE_MS)
      await expect.poll(() => asked.length, SLOW).toBeGreaterThan(before)
      await isQuiet()
      const idle = asked.slice(before)
      const isCheck = (request: Request): boolean => request.url().endsWith('/api/v1/shared-view')
      if (!isLive) expect(idle.filter((request) => !isCheck(request)).map((request) => request.url())).toEqual([])
      const sizes = await Promise.all(idle.map((request) => request.sizes()))
      const bytes = sizes.reduce((sum, size) => sum + size.responseBodySize + size.responseHeadersSize, 0)
      expect(bytes).toBeGreaterThan(0)
      expect(bytes).toBeLessThanOrEqual(IDLE_BYTES_MAX)
    }
  })

  it('are listed with what they show and who made them', async () => {
    const { links } = await dashboard.page.evaluate(
      async () => (await fetch('/api/v1/apps/demo-shop/shared-links')).json() as Promise<SharedLinks>,
    )
    expect(links.map(({ view }) => view.page)).toEqual(expect.arrayContaining(['overview', 'journeys', 'elements']))
    expect(links.every(({ created_by, used_at }) => created_by !== '' && used_at !== undefined)).toBe(true)
  })
})

describe('an embedded view', () => {
  /** Serves a page of another site with a frame. */
  async function site(frame: () => string): Promise<string> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<!doctype html><title>Wiki</title><h1>Wiki</h1>${frame()}`)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // another site than 127.0.0.1, so that its frames have no cookies
    return `http://localhost:${(server.address() as AddressInfo).port}`
  }

  it('is shown on the site that it names without any cookie, and not on another one', async () => {
    let html = ''
    const [allowed, other] = [await site(() => html), await site(() => html)]
    await dashboard.open(`funnels/checkout?range=${rangeText}&f=device:desktop`)
    const [url, frame] = await share({ name: 'Wiki', origins: allowed })
    html = frame!
    const page = await stranger()
    await page.goto(allowed)
    const inside = page.frameLocator('iframe')
    await inside.locator('.numbers').first().waitFor()
    const texts = await inside.getByRole('list', { name: 'Funnel' }).locator('.stage .opens').allTextContents()
    expect(texts.map(numberOf)).toEqual(await expected())
    expect(await page.context().cookies()).toEqual([])

    const blocked = await stranger()
    const said: string[] = []
    blocked.on('console', (message) => said.push(message.text()))
    await blocked.goto(other)
    await expect.poll(() => said.join(' '), { timeout: 20_000 }).toContain('frame-ancestors')
    expect(await blocked.frameLocator('iframe').locator('.numbers').count()).toBe(0)

    // the link itself, and every other page, stays out of all frames
    html = `<iframe src="${url}"></iframe>`
    await blocked.goto(allowed)
    await expect
      .poll(() => said.filter((text) => text.includes('frame-ancestors')).length, { timeout: 20_000 })
      .toBeGreaterThan(1)
    expect(await blocked.frameLocator('iframe').locator('.numbers').count()).toBe(0)
  })
})
