import { readFileSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { Site, until } from './site.fixture.ts'

/** Flags of the browsers of tests. */
export const chromiumArgs = [
  '--no-sandbox',
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP *.shop.example 127.0.0.1',
  // set here, since Playwright's own setting misses requests that outlive a page
  '--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
]

/** The stub of docs/tracker.md, for calls before the script has loaded. */
export const stub = /<script>\n(\s*window\.hopper \?\?=[^]*?)\n *<\/script>/.exec(
  readFileSync(new URL('../../docs/tracker.md', import.meta.url), 'utf8'),
)![1]!

/** Opened for each test; the browser is shared by the tests of a file. */
export interface OpenedSite {
  readonly browser: Browser
  readonly context: BrowserContext
  readonly site: Site
  readonly page: Page
}

let opened: OpenedSite

/** Opens a site and a page before each test of a file, and fails the test if one of its pages has thrown an error. */
export function openSiteBeforeEach(set: (opened: OpenedSite) => void): void {
  let browser: Browser
  let errors: string[]
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumArgs })
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    const site = await new Site().open()
    const context = await browser.newContext()
    const page = await context.newPage()
    errors = []
    context.on('weberror', (error) => errors.push(String(error.error())))
    opened = { browser, context, site, page }
    set(opened)
  })
  afterEach(async () => {
    await opened.context.close()
    await opened.site.close()
    expect(errors).toEqual([])
  })
}

/** Opens a page of the site, and waits until the tracker has run the calls that were queued before it loaded. */
export async function load(path: string, tab = opened.page): Promise<void> {
  await tab.goto(opened.site.url(path))
  await tab.waitForFunction(() => window.hopper && !window.hopper.q)
}

/** Waits until the configuration has been requested `count` times and has arrived. */
export async function configured(count = 1): Promise<void> {
  await until(
    () => opened.site.configRequests >= count,
    () => 'the configuration',
  )
  await opened.page.waitForLoadState('networkidle')
}

/** Closes a tab as a visitor does. */
export function close(tab = opened.page): Promise<void> {
  return tab.close({ runBeforeUnload: true })
}

/** Returns the page views that have arrived. The event that only ends a page has an empty `to` and is not a view. */
export function views(): ReturnType<Site['eventsOfType']> {
  return opened.site.eventsOfType(2).filter(({ to }) => to !== '')
}
