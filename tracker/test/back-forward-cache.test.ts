import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { chromiumArgs } from './browser.fixture.ts'
import { Site } from './site.fixture.ts'

let browser: Browser
let site: Site
let page: Page
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: chromiumArgs,
    // Playwright turns the cache off
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
})
afterAll(() => browser.close())
beforeEach(async () => {
  site = await new Site().open()
  site.head = `<script>
    const loadedAt = performance.timeOrigin
    let restored = 0
    addEventListener('pageshow', ({ persisted }) => persisted && restored++)
  </script>`
  page = await (await browser.newContext()).newPage()
})
afterEach(async () => {
  await page.context().close()
  await site.close()
})

const load = async (path: string): Promise<void> => {
  await page.goto(site.url(path))
  await page.waitForFunction(() => window.hopper && !window.hopper.q)
}
/** Stays on the page until the page's own clock has advanced by this time. */
const stay = async (ms: number): Promise<void> => {
  await page.evaluate((until) => new Promise((done) => setTimeout(done, until)), ms)
}
/** Goes back; Playwright does not see that a page was restored, so the page is asked. */
const goBack = async (): Promise<void> => {
  await page.evaluate(() => void setTimeout(() => history.back()))
  await expect.poll(() => page.evaluate('restored').catch(() => 0), { timeout: 10_000 }).toBe(1)
}

it('a page that the browser has kept counts as one navigation, with the time on each page', async () => {
  await load('/a')
  const loadedAt = await page.evaluate('loadedAt')
  await site.arrived(2, 1)
  const since = performance.now()
  await load('/b')
  await stay(200)
  await goBack()
  expect(await page.evaluate('loadedAt')).toBe(loadedAt)
  await stay(200)
  await page.mouse.move(1, 1)
  await page.locator('#buy').click()
  const [click] = await site.arrived(1, 1)
  await page.close({ runBeforeUnload: true })
  const changes = await site.arrived(2, 6)
  const atMost = performance.now() - since
  const [a, b] = [site.url('/a'), site.url('/b')]
  // Chromium shows the one page just before it hides the other one
  const entered = changes.filter(({ to }) => to !== '')
  expect(entered.map(({ from, to, elapsed_time }) => [from, to, elapsed_time])).toEqual([
    ['', a, 0],
    ['', b, 0],
    ['', a, 0],
  ])
  const left = changes.filter(({ to }) => to === '')
  expect(left.map(({ from }) => from)).toEqual([a, b, a])
  const [, onB, onA] = left.map(({ elapsed_time }) => elapsed_time as number)
  // the time in the cache is on no page
  expect(onB).toBeGreaterThanOrEqual(190)
  expect(onA).toBeGreaterThanOrEqual(190)
  expect(onB! + onA!).toBeLessThanOrEqual(atMost)
  // the clock of the tab continues
  expect(click!.elapsed_time).toBeGreaterThanOrEqual(200)
  expect(new Set(changes.map(({ session_id }) => session_id)).size).toBe(1)
  expect(new Set([click!, ...changes].map(({ seq }) => seq)).size).toBe(7)
})

it('a page that is left while its events wait is kept, and continues in its stage', async () => {
  site.config.funnels = [
    {
      id: 'f',
      stages: [
        { id: 1, name: 'a', url: '/a' },
        { id: 2, name: 'buy', click: '#buy' },
      ],
    },
  ]
  site.status = 503
  await load('/a')
  await page.waitForLoadState('networkidle')
  await load('/b')
  await goBack()
  site.status = 202
  await page.locator('#buy').click()
  const moves = await site.arrived(4, 2)
  expect(moves.map(({ from, entered }) => [from, entered])).toEqual([
    [undefined, 1],
    [1, 2],
  ])
  expect((await site.arrived(2, 5)).filter(({ to }) => to !== '').map(({ to }) => to)).toEqual(
    ['/a', '/b', '/a'].map((path) => site.url(path)),
  )
})
