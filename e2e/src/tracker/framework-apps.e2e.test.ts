import type { Clicks, ElementActions, ElementDurations, PageViews, StageUsers } from '@hopper/contracts'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getJson, whenCounted, type Installation } from '../installations/installation.ts'
import { standalone } from '../installations/standalone.ts'
import { until } from '../installations/until.ts'
import { launchBrowser } from '../traffic/launch-browser.ts'
import { markPages, marksOf, type Mark } from '../traffic/page-clock.ts'
import { buildApp } from './built-app.fixture.ts'

const BUY = "//*[@id='buy']"
const HOVER_MS = 400
/** difference between the tracker's and the page marks' time for the same events, on a busy machine */
const SLACK_MS = 250
const TIMEOUT_MS = 120_000

const app = (id: string) => ({
  id,
  name: id,
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
  funnels: [
    {
      id: 'checkout',
      name: 'Checkout',
      stages: [
        { id: 1, name: 'Home', url: '/' },
        { id: 2, name: 'Product', url: '/products/*' },
        { id: 3, name: 'Cart', click: '#buy' },
        { id: 4, name: 'Thanks', url: '/thanks' },
      ],
    },
  ],
  elements: [{ name: 'Buy', xpath: BUY }],
})
const apps = { react: app('react'), vue: app('vue') }
let installation: Installation
let browser: Browser

interface Point {
  readonly x: number
  readonly y: number
}

/** Follows a link or presses a button by keyboard, so that the pointer stays where it is. */
async function press(page: Page, id: string): Promise<void> {
  await page.locator(`#${id}`).focus()
  await page.keyboard.press('Enter')
}

/** Waits until the pointer has been where it is for this time, by the page's clock. */
async function stay(page: Page): Promise<void> {
  const from = await page.evaluate(() => performance.now())
  await page.waitForFunction(([start, ms]) => performance.now() - start! > ms!, [from, HOVER_MS])
}

/** Moves the pointer to and fro by a pixel, as a hand does: else Chromium may not notice what is under it now. */
async function tremble(page: Page, { x, y }: Point, over: string): Promise<void> {
  for (const by of [1, 0]) await page.mouse.move(x + by, y)
  await page.waitForSelector(`${over}:hover`)
}

/** Returns the middle of an element, where `hover` puts the pointer. */
async function middleOf(page: Page, selector: string): Promise<Point> {
  const { x, y, width, height } = (await page.locator(selector).boundingBox())!
  return { x: x + width / 2, y: y + height / 2 }
}

/** Walks through the shop, on routes of its router, and over a button that is added, moved and replaced. */
async function walk(page: Page, url: string): Promise<readonly Mark[]> {
  const at = (path: string): Promise<void> => page.waitForURL(url + path)
  await page.goto(`${url}/`)
  await page.waitForFunction(() => 'hopper' in window)
  await press(page, 'products')
  await at('/products')
  await press(page, 'lamp')
  await at('/products/lamp')
  await page.goBack()
  await at('/products')
  await page.goForward()
  await at('/products/lamp')
  await press(page, 'colour')
  await at('/products/lamp?colour=red')

  // added after the tracker has begun
  await press(page, 'show')
  await page.hover('#buy')
  await stay(page)
  await page.hover('#gap')
  // moved away from under the pointer
  await page.hover('#buy')
  await stay(page)
  const first = await middleOf(page, '#buy')
  await press(page, 'move')
  await tremble(page, first, '#gap')
  // replaced under the pointer by a new node, and clicked
  await page.hover('#buy')
  const before = await page.locator('#buy').elementHandle()
  const second = await middleOf(page, '#buy')
  await press(page, 'replace')
  await page.waitForFunction((node) => !node.isConnected, before)
  await tremble(page, second, '#buy')
  await stay(page)
  const marks = await marksOf(page)
  await page.mouse.down()
  await page.mouse.up()
  await at('/cart')
  await press(page, 'thanks')
  await at('/thanks')
  return [...marks, ...(await marksOf(page)).slice(marks.length)]
}

/** Returns the times from each arrival on the button until the pointer was on the text beside it, or clicked. */
function hovers(marks: readonly Mark[], end: 'gap' | 'click'): number[] {
  const times: number[] = []
  let since: number | undefined
  for (const { what, of, at } of marks) {
    const isClick = what === 'click' && of === 'buy'
    if (what === 'over' && of === 'buy') since ??= at
    else if (since !== undefined && (isClick || (what === 'over' && of === 'gap'))) {
      if (isClick === (end === 'click')) times.push(at - since)
      since = undefined
    }
  }
  return times
}

const sum = (times: readonly number[]): number => times.reduce((all, time) => all + time, 0)

describe('a single-page app', () => {
  beforeAll(async () => {
    const provision = { organizations: [{ id: 'acme', name: 'Acme', apps: Object.values(apps) }] }
    installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false' } })
    ;[browser] = await Promise.all([launchBrowser(), installation.start()])
  }, TIMEOUT_MS)
  afterAll(async () => {
    await browser?.close()
    await installation?.dispose()
  })

  it.each([
    { name: 'react', by: 'the package', router: 'TanStack Router' },
    { name: 'vue', by: 'the script tag', router: 'Vue Router' },
  ] as const)(
    'of $name, with $by, reports exactly the routes of $router and its hovers',
    async ({ name }) => {
      await using built = await buildApp(name, installation.ingestUrl, apps[name].write_key)
      const context = await browser.newContext({ viewport: { width: 1_000, height: 800 } })
      const errors: string[] = []
      context.on('weberror', (error) => errors.push(String(error.error())))
      context.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())))
      await markPages(context)
      const page = await context.newPage()
      const configured = page.waitForResponse((response) => response.url().includes('/v1/config'))
      const [marks] = await Promise.all([walk(page, built.url), configured])
      await page.close({ runBeforeUnload: true })
      const get = <T>(path: string): Promise<T> =>
        getJson<T>(installation, `/api/v1/apps/${name}/${path}`, apps[name].read_key)
      const users = async (): Promise<number[][]> =>
        (await get<StageUsers>('stages/users?funnel=checkout')).rows.flatMap(({ stage, users }) =>
          users > 0 ? [[stage, users]] : [],
        )
      await until(async () => (await users()).length === 4, 20_000)
      await whenCounted(installation, apps[name].read_key)

      const host = new URL(built.url).host
      const views = (await get<PageViews>('pages/views')).rows.map(({ url, views }) => [url.replace(host, ''), views])
      expect(views.sort()).toEqual([
        ['/', 1],
        ['/cart', 1],
        ['/products', 2],
        ['/products/lamp', 2],
        ['/thanks', 1],
      ])
      expect(await users()).toEqual([1, 2, 3, 4].map((stage) => [stage, 1]))
      const clicks = (await get<Clicks>('clicks')).rows.map(({ url, target, hits }) => `${url} ${target} ${hits}`)
      const on = (path: string, id: string): string => `${host}${path} //*[@id='${id}'] 1`
      expect(clicks.sort()).toEqual(
        [
          on('/', 'products'),
          on('/products', 'lamp'),
          ...['colour', 'show', 'move', 'replace', 'buy'].map((id) => on('/products/lamp', id)),
          on('/cart', 'thanks'),
        ].sort(),
      )
      const [buy] = (await get<ElementActions>('elements/actions')).rows
      expect(buy).toMatchObject({ name: 'Buy', hover_leave: 2, hover_click: 1 })
      const [left, clicked] = [hovers(marks, 'gap'), hovers(marks, 'click')]
      expect([left.length, clicked.length]).toEqual([2, 1])
      for (const time of [...left, ...clicked]) expect(time).toBeGreaterThanOrEqual(HOVER_MS)
      expect(Math.abs(buy!.elapsed_leave_ms - sum(left))).toBeLessThan(SLACK_MS)
      expect(Math.abs(buy!.elapsed_click_ms - sum(clicked))).toBeLessThan(SLACK_MS)
      const { buckets } = await get<ElementDurations>(`elements/durations?xpath=${encodeURIComponent(BUY)}`)
      expect(sum(buckets.map(({ leave }) => leave))).toBe(2)
      expect(sum(buckets.map(({ click }) => click))).toBe(1)
      expect(errors).toEqual([])
      await context.close()
    },
    TIMEOUT_MS,
  )
})
