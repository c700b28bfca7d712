import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ElementActions, PageViews } from '@hopper/contracts'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { until } from '../installations/until.ts'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const hostile = `Buy <img src=x onerror="document.title='run'">`
let dashboard: OpenedDashboard
let shop: Server
let shopUrl: string
/** of the button on the shop's page, which the shop changes */
let button = `<button data-hopper="buy" id="b17">`

beforeAll(async () => {
  dashboard = await openDashboard()
  const { installation } = dashboard
  const [, key] = /data-key="(hw_[^"]+)"/.exec(await (await fetch(`${installation.ingestUrl}/demo/shop/`)).text())!
  shop = createServer((_request, response) => {
    const text = hostile.replaceAll('<', '&lt;')
    response
      // the page has no opener, whatever opens it
      .writeHead(200, { 'content-type': 'text/html', 'cross-origin-opener-policy': 'same-origin' })
      .end(
        `<!doctype html><title>Shop</title><link rel="icon" href="data:,">
        <script async src="${installation.ingestUrl}/hopper.js?key=${key}" data-key="${key}"></script>
        <main><p>Tea</p>${button}${text}</button></main>`,
      )
  }).listen(0, '127.0.0.1')
  await once(shop, 'listening')
  shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
}, 120_000)
afterAll(async () => {
  await dashboard?.close()
  shop?.close()
})
afterEach(() => expect(dashboard.complaints).toEqual([]))

/** Follows the link of the picker that the dashboard offers for a page. */
async function followLink(path: string): Promise<Page> {
  const { page } = dashboard
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Page').fill(`${shopUrl}${path}`)
  await dialog.getByRole('button', { name: 'Get a link' }).click()
  const opened = page.context().waitForEvent('page')
  await dialog.getByRole('link', { name: 'Open the page' }).click()
  const site = await opened
  await site.waitForFunction(() => document.querySelector('hopper-picker:popover-open') !== null)
  return site
}

async function clickOn(site: Page, selector: string): Promise<void> {
  const box = (await site.locator(selector).boundingBox())!
  await site.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
}

/** Visits the shop, so that its host is one that the app has seen. */
async function makeKnown(): Promise<void> {
  const visitor = await dashboard.browser.newPage()
  const seen = visitor.waitForResponse(/\/v1\/events/)
  await visitor.goto(shopUrl)
  await seen
  await visitor.close()
  await until(async () => {
    const { rows } = await dashboard.get<PageViews>('pages/views')
    return rows.some(({ url }) => url.startsWith(new URL(shopUrl).host))
  }, 30_000)
}

/** Hovers over the button of the shop as a visitor, and clicks it. */
async function visitAndClick(): Promise<void> {
  const visitor = await dashboard.browser.newContext()
  const page = await visitor.newPage()
  const configured = page.waitForResponse(/\/v1\/config/)
  await page.goto(`${shopUrl}/tea`)
  await (await configured).finished()
  await page.mouse.move(0, 400)
  const sent = page.waitForResponse(
    (answer) =>
      answer.url().includes('/v1/events') && (answer.request().postData() ?? '').includes('hover-then-clicked'),
  )
  await page.locator('button').hover()
  await page.locator('button').click()
  expect((await sent).status()).toBe(202)
  await visitor.close()
}
const clicksOf = async (xpath: string): Promise<number> => {
  const { rows } = await dashboard.get<ElementActions>('elements/actions')
  return rows.find((row) => row.xpath === xpath)?.hover_click ?? -1
}

it('an element that is picked on a page of the site is counted, also when the site names it otherwise', async () => {
  const { page } = dashboard
  await dashboard.open('settings')
  await page.getByRole('button', { name: 'Add an element' }).click()
  await page.getByRole('button', { name: 'Pick on the page' }).click()
  await page.getByRole('dialog').getByLabel('Page').fill('https://elsewhere.example/')
  await page.getByRole('button', { name: 'Get a link' }).click()
  await page.getByRole('dialog').getByText('must be a page').first().waitFor()
  await makeKnown()
  const site = await followLink('/tea')
  expect(site.url()).toBe(`${shopUrl}/tea`)
  await clickOn(site, 'button[data-hopper]')
  expect(await site.locator('hopper-picker li code').first().textContent()).toBe('[data-hopper="buy"]')
  await site.locator('hopper-picker li button').first().click()
  await site.getByText('Sent to Hopper').waitFor()
  await site.close()
  const xpath = "//*[@data-hopper='buy']"
  const form = page.locator('form', { has: page.getByLabel('XPath') })
  await expect.poll(() => form.getByLabel('XPath').inputValue(), { timeout: 20_000 }).toBe(xpath)
  expect(await form.getByLabel('Name').inputValue()).toBe(hostile)
  expect(await form.getByLabel(/^Selectors/).inputValue()).toBe('[data-hopper="buy"]\n#b17')
  await expectUsable(page)
  await form.getByRole('button', { name: 'Save' }).click()
  await page.getByText(hostile).waitFor()
  expect(await page.title()).not.toBe('run')

  await visitAndClick()
  await expect.poll(() => clicksOf(xpath), { timeout: 30_000 }).toBe(1)
  // the element has lost its name: the id finds the same element
  button = `<button id="b17">`
  await visitAndClick()
  await expect.poll(() => clicksOf(xpath), { timeout: 30_000 }).toBe(2)
})

it('the element of a click stage is picked on the page, and a link works once', async () => {
  const { page } = dashboard
  button = `<button id="b17">`
  await makeKnown()
  await dashboard.open('new-funnel')
  await page.getByRole('button', { name: 'Add a stage of your own' }).click()
  await page.getByLabel('Stage 1 is entered by').selectOption('click')
  await page.getByRole('button', { name: 'Pick on the page the element of stage 1' }).click()
  const site = await followLink('/tea')
  const handOver = site.waitForRequest(/\/v1\/picks/)
  await clickOn(site, 'button#b17')
  await site.locator('hopper-picker li button').first().click()
  await site.getByText('Sent to Hopper').waitFor()
  await expect.poll(() => page.getByLabel('Clicked element of stage 1').inputValue(), { timeout: 20_000 }).toBe('#b17')
  expect(await page.getByLabel('Name of stage 1').inputValue()).toBe(hostile)

  const request = await handOver
  const again = await fetch(request.url(), {
    method: 'POST',
    body: request.postData()!,
    headers: { origin: shopUrl, 'content-type': 'text/plain' },
  })
  expect([again.status, await again.json()]).toMatchObject([403, { error: { details: { reason: 'used' } } }])
  await site.close()
})

it('a twin is proposed, and once linked it continues the numbers of the element', async () => {
  const { page } = dashboard
  const [old, twin] = ["//*[@id='order']/button[1]", "//*[@id='order']/div[1]/button[1]"]
  await dashboard.open('settings')
  await page.getByRole('button', { name: 'Add an element' }).click()
  const form = page.locator('form', { has: page.getByLabel('XPath') })
  await form.getByLabel('Name').fill('Order')
  await form.getByLabel('XPath').fill(old)
  await form.getByRole('button', { name: 'Save' }).click()
  await page.getByText(old).waitFor()
  const at = (days: number): number => Date.now() - days * 86_400_000
  const press = (target: string, timestamp: number): object[] => [
    { type: 'btn_time', target, timestamp, action: 'hover-then-clicked', elapsed_time: 500, pointer: 'mouse' },
    { type: 'click', target, timestamp, elapsed_time: 500, current_url: 'https://shop.example/order' },
  ]
  const events = [...press(old, at(3)), ...press(old, at(2)), ...press(twin, at(2)), ...press(twin, at(1))]
  await dashboard.send('presser', events)
  await expect.poll(() => clicksOf(twin), { timeout: 30_000 }).toBe(2)

  await dashboard.open('elements')
  const question = page.getByRole('region', { name: 'The same button?' })
  await question.getByText(twin).waitFor()
  await expectUsable(page)
  await question.getByRole('button', { name: 'Link Order and its twin' }).click()
  await question.waitFor({ state: 'detached' })
  expect(await clicksOf(twin)).toBe(4)
  expect(await clicksOf(old)).toBe(-1)
})
