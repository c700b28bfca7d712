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
/** Stays on the page until the page's own clock has gone on by this time. */
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
  await load('/b')
  const since = performance.now()
  await stay(200)
  await goBack()
  expect(await page.evaluate('loadedAt')).toBe(loadedAt)
  await stay(200)
  await page.close({ runBeforeUnload: true })
  const changes = await site.arrived(2, 6)
  console.log(JSON.stringify(changes.map((c) => [c.from, c.to, c.elapsed_time, c.seq, c.timestamp])))
  const atMost = performance.now() - since
  const [a, b] = [site.url('/a'), site.url('/b')]
  expect(changes.map(({ from, to }) => [from, to])).toEqual([
    ...[
      ['', a],
      [a, ''],
      ['', b],
      [b, ''],
      ['', a],
      [a, ''],
    ],
  ])
  const times = changes.map(({ elapsed_time }) => elapsed_time as number)
  expect([times[0], times[2], times[4]]).toEqual([0, 0, 0])
  // the time in the cache is on no page
  expect(times[3]).toBeGreaterThanOrEqual(190)
  expect(times[5]).toBeGreaterThanOrEqual(190)
  expect(times[3]! + times[5]!).toBeLessThanOrEqual(atMost)
  expect(new Set(changes.map(({ session_id }) => session_id)).size).toBe(1)
  expect(changes.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5])
})

it('a page is kept that is left while its events wait', async () => {
  site.status = 503
  await load('/a')
  await load('/b')
  await goBack()
  site.status = 202
  const changes = await site.arrived(2, 5)
  expect(changes.map(({ to }) => to)).toEqual([site.url('/a'), '', site.url('/b'), '', site.url('/a')])
})
