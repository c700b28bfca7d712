import type {
  Clicks,
  ElementActions,
  ElementDurations,
  PageViews,
  StageConversion,
  StageGraph,
  StageTime,
  StageUsers,
} from '@hopper/contracts'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { markPages, marksOf, type Mark } from './traffic/page-clock.ts'
import { whenCounted, getJson, type Installation } from './installations/installation.ts'
import { launchBrowser } from './traffic/launch-browser.ts'
import { until } from './installations/until.ts'
import type { OpenInstallation } from './installations/for-each-installation.ts'

/** Maximum difference between the tracker's and the page marks' time for the same event. */
const SLACK_MS = 250
let installation: Installation
let browser: Browser
let readKey: string

const get = <T>(path: string): Promise<T> => getJson<T>(installation, `/api/v1/apps/demo-shop/${path}`, readKey)

/** Opens a page as a new visitor: a fresh browser profile that does not report automation. */
async function visit(path: string, more: { readonly hasTouch?: true } = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1_000, height: 800 }, ...more })
  await markPages(context)
  const page = await context.newPage()
  const configured = page.waitForResponse((response) => response.url().includes('/v1/config'))
  await page.goto(`${installation.ingestUrl}${path}`)
  await configured
  await trackedEvents(page)
  return page
}

const trackedEvents = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => (window as { hopper?: unknown }).hopper !== undefined)

/** Returns when the tab first reached a page, given its path in the shop. */
const arrived = (marks: readonly Mark[], path: string): number =>
  marks.find(({ what, of }) => (what === 'tracker' || what === 'address') && of.replace(/\/$/, '') === `/demo/${path}`)!
    .at

/** Returns how long the pointer was over an element before it left or clicked. */
function hovered(marks: readonly Mark[], element: string, until: 'out' | 'click'): number {
  const over = marks.findIndex(({ what, of }) => what === 'over' && of === element)
  return marks.slice(over).find(({ what, of }) => what === until && of === element)!.at - marks[over]!.at
}

/** Closes the tab as a person does. The browser keeps running and delivers the requests that the page handed to it. */
async function closeTab(page: Page): Promise<void> {
  const closed = page.waitForEvent('close')
  await page.close({ runBeforeUnload: true })
  await closed
}

/** Presses a button or follows a link by keyboard, so that no pointer hovers over the next page. */
async function press(page: Page, selector: string, lands: string): Promise<void> {
  await page.locator(selector).first().focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(`**${lands}`)
}

/**
 * Checks that the API reports exactly what happened: two visitors in a real browser, a custom event, and a person with
 * two devices.
 */
export function demoShopSuite(open: OpenInstallation, startMs = 120_000): void {
  beforeAll(async () => {
    installation = await open()
    ;[browser] = await Promise.all([launchBrowser(), installation.start()])
    readKey = /read key of demo-shop\s+(hr_\S+)/.exec(installation.output())![1]!
  }, startMs)
  afterAll(async () => {
    await browser?.close()
    await installation?.dispose()
  })

  it('reports exactly every stage, view, hover and click of two visitors', async () => {
    // The first visitor walks through the whole shop as a single-page app.
    const page = await visit('/demo/spa/')
    await page.hover('#shop-now')
    await page.waitForTimeout(600)
    await page.mouse.move(5, 790)
    await press(page, '#shop-now', '/demo/spa/products')
    await press(page, 'a[data-page="/products/lamp"]', '/products/lamp')
    await page.hover('#add')
    await page.waitForTimeout(400)
    await page.mouse.down()
    await page.mouse.up()
    await page.waitForURL('**/demo/spa/cart')
    await page.mouse.move(5, 790)
    await press(page, '#checkout', '/demo/spa/checkout')
    await press(page, '#order', '/demo/spa/thanks')
    const marks = await marksOf(page)
    await closeTab(page)

    // The second visitor loads every page in full, and closes the tab immediately.
    const other = await visit('/demo/shop/')
    await press(other, '#shop-now', '/demo/shop/products')
    await trackedEvents(other)
    const otherMarks = await marksOf(other)
    await closeTab(other)

    await until(
      async () =>
        (await get<StageConversion>('stages/conversion')).rows.map(({ users }) => users).join() === '2,2,1,1,1,1',
      15_000,
    )
    await whenCounted(installation, readKey)

    const conversion = await get<StageConversion>('stages/conversion')
    expect(conversion.total_users).toBe(2)
    expect(conversion.rows.map(({ name, users, rate }) => [name, users, rate])).toEqual([
      ['Home', 2, 1],
      ['Products', 2, 1],
      ['Product', 1, 0.5],
      ['Cart', 1, 0.5],
      ['Checkout', 1, 0.5],
      ['Thanks', 1, 0.5],
    ])
    const byDate = (await get<StageUsers>('stages/users')).rows.filter(({ users }) => users > 0)
    expect(byDate.map(({ stage, users }) => [stage, users])).toEqual([
      [1, 2],
      [2, 2],
      [3, 1],
      [4, 1],
      [5, 1],
      [6, 1],
    ])
    expect((await get<StageGraph>('stages/graph')).rows.map(({ from, to, users }) => [from, to, users])).toEqual([
      [null, 1, 2],
      [1, 2, 2],
      [2, 3, 1],
      [3, 4, 1],
      [4, 5, 1],
      [5, 6, 1],
    ])

    const time = (await get<StageTime>('stages/time')).rows
    expect(time.map(({ stage, hits }) => [stage, hits])).toEqual([
      [1, 2],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
      [6, 0],
    ])
    const arrivals = ['spa', 'spa/products', 'spa/products/lamp', 'spa/cart', 'spa/checkout', 'spa/thanks'].map(
      (path) => arrived(marks, path),
    )
    const spent = [...arrivals.slice(1).map((at, i) => at - arrivals[i]!), 0]
    spent[0]! += otherMarks.find(({ what }) => what === 'left')!.at - arrived(otherMarks, 'shop')
    time.forEach(({ elapsed_ms, hits, average_seconds }, index) => {
      expect(Math.abs(elapsed_ms - spent[index]!)).toBeLessThan(SLACK_MS)
      expect(average_seconds).toBeCloseTo(hits === 0 ? 0 : elapsed_ms / hits / 1000, 3)
    })

    const actions = new Map((await get<ElementActions>('elements/actions')).rows.map((row) => [row.name, row]))
    expect(actions.get('Shop now')).toMatchObject({
      hover_leave: 1,
      hover_click: 0,
      hits: 1,
      leave_percent: 100,
      click_percent: 0,
    })
    expect(actions.get('Add to cart')).toMatchObject({
      hover_leave: 0,
      hover_click: 1,
      hits: 1,
      leave_percent: 0,
      click_percent: 100,
    })
    expect(actions.get('Shop now')!.elapsed_leave_ms).toBeGreaterThanOrEqual(600 - 50)
    expect(actions.get('Add to cart')!.elapsed_click_ms).toBeGreaterThanOrEqual(400 - 50)
    expect(Math.abs(actions.get('Shop now')!.elapsed_leave_ms - hovered(marks, 'shop-now', 'out'))).toBeLessThan(
      SLACK_MS,
    )
    expect(Math.abs(actions.get('Add to cart')!.elapsed_click_ms - hovered(marks, 'add', 'click'))).toBeLessThan(
      SLACK_MS,
    )
    const durations = await get<ElementDurations>(`elements/durations?xpath=${encodeURIComponent("//*[@id='add']")}`)
    expect(durations.buckets.map(({ leave, click }) => [leave, click])).toEqual([[0, 1]])

    const host = new URL(installation.ingestUrl).host
    const views = new Map((await get<PageViews>('pages/views')).rows.map(({ url, views: count }) => [url, count]))
    expect(Object.fromEntries(views)).toEqual(
      Object.fromEntries(
        [
          'spa',
          'spa/products',
          'spa/products/lamp',
          'spa/cart',
          'spa/checkout',
          'spa/thanks',
          'shop',
          'shop/products',
        ].map((path) => [`${host}/demo/${path}`, 1]),
      ),
    )
    const clicks = (await get<Clicks>('clicks')).rows
      .filter(({ target }) => target.includes("@id='"))
      .map(({ url, target, hits }) => `${url} ${target} ${hits}`)
    expect(clicks.sort()).toEqual([
      `${host}/demo/shop //*[@id='shop-now'] 1`,
      `${host}/demo/spa //*[@id='shop-now'] 1`,
      `${host}/demo/spa/cart //*[@id='checkout'] 1`,
      `${host}/demo/spa/checkout //*[@id='order'] 1`,
      `${host}/demo/spa/products/lamp //*[@id='add'] 1`,
    ])
  }, 90_000)

  it('a finger on an element is not a hesitation on any device, a mouse is', async () => {
    const hits = async (): Promise<number> => {
      const { rows } = await get<ElementActions>('elements/actions')
      return rows.find(({ name }) => name === 'Shop now')?.hits ?? 0
    }
    const before = await hits()
    const finger = await visit('/demo/spa/', { hasTouch: true })
    await finger.tap('#shop-now')
    await finger.waitForURL('**/demo/spa/products')
    await closeTab(finger)
    const mouse = await visit('/demo/spa/')
    await mouse.hover('#shop-now')
    await mouse.waitForTimeout(200)
    await mouse.mouse.down()
    await mouse.mouse.up()
    await mouse.waitForURL('**/demo/spa/products')
    await closeTab(mouse)
    const pointers = async (): Promise<string> => {
      const { rows } = await get<{ rows: readonly { value: string }[] }>('keys/pointer/values')
      return rows
        .map(({ value }) => value)
        .sort()
        .join()
    }
    await until(async () => (await pointers()) === 'mouse,touch', 15_000)
    await whenCounted(installation, readKey)
    expect(await hits()).toBe(before + 1)
  }, 60_000)

  it('a custom event and an identify arrive, and the two devices of one person count as one', async () => {
    const before = (await get<StageConversion>('stages/conversion')).total_users
    for (let device = 0; device < 2; device++) {
      const page = await visit('/demo/')
      await page.evaluate(() => {
        const { hopper } = window as unknown as {
          hopper: ((name: string, data: object) => void) & { identify(user: string): void }
        }
        hopper('signed_up', { plan: 'pro' })
        hopper.identify('ada')
      })
      await closeTab(page)
    }
    await until(
      async () => (await get<StageConversion>('stages/conversion?count_by=device')).total_users === before + 2,
      15_000,
    )
    await until(async () => (await get<StageConversion>('stages/conversion')).total_users === before + 1, 15_000)
  }, 60_000)
}
