import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EVIL, newFixture } from './answers.fixture.ts'
import { serveFixture, type FixtureServer } from './server.fixture.ts'

const flags = [
  '--no-sandbox',
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
let dir: string
let server: FixtureServer
let browser: Browser
let page: Page
let complaints: string[]

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hopper-dashboard-'))
  const root = resolve(import.meta.dirname, '..')
  await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    mode: 'production',
    logLevel: 'error',
    build: { outDir: dir },
  })
  server = await serveFixture(dir)
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
  await rm(dir, { recursive: true, force: true })
})

beforeEach(async () => {
  server.fixture = newFixture()
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(15_000)
  complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // an error response is not a fault of the page
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
})

afterEach(async () => {
  await page.close()
  expect(complaints).toEqual([])
})

async function open(path: string): Promise<void> {
  await page.goto(server.origin + path)
  await page.getByRole('heading', { level: 1 }).waitFor()
}

/** Returns the cells of a card's table, below the column names. */
async function cells(title: string): Promise<string[][]> {
  const card = page.getByRole('region', { name: title, exact: true })
  await card.waitFor()
  const asTable = card.getByRole('button', { name: 'Table' })
  if ((await asTable.count()) > 0) await asTable.click()
  const rows = card.locator('tbody tr')
  await rows.first().waitFor()
  return rows.evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')),
  )
}

describe('the numbers of the API', () => {
  it('appear on the overview', async () => {
    await open('/')
    expect((await cells('Traffic per day'))[0]?.slice(1)).toEqual(['1,303', '4,202', '7,101'])
    expect(await cells('Most clicked')).toEqual([['Buy now', '/cart', '512', '1.5 s']])
    expect(await cells('Devices')).toEqual([['desktop', '905', '70.0%']])
    expect(await cells('Browsers')).toEqual([['Firefox', '806', '62.0%']])
    expect(await cells('Systems')).toEqual([['Linux', '707', '54.0%']])
    expect(await page.locator('.headline dd').allTextContents()).toEqual(['1,303', '4,202', '7,101', '3.2'])
    expect(await page.locator('.freshness').textContent()).toMatch(/counted up to \d\d:\d\d:\d\dopen/)
  })

  it('appear on the funnel page', async () => {
    await open('/funnel')
    expect(await page.locator('.stage-users').allTextContents()).toEqual(['951', '437'])
    expect(await cells('Conversion')).toEqual([
      ['Home', '951', '95.1%', '–', '–'],
      ['Cart', '437', '43.7%', '514', '54.0%'],
    ])
    expect(await cells('Paths through the funnel')).toEqual([
      ['Entry', 'Home', '942'],
      ['Home', 'Cart', '437'],
      ['Cart', 'Home', '58'],
    ])
    expect(await cells('Users per stage and day')).toEqual([['1 Jan 2026', '611', '322']])
    expect(await cells('Time in a stage')).toEqual([
      ['Home', '1:05 min', '83'],
      ['Cart', '–', '0'],
    ])
  })

  it('appear on the elements page', async () => {
    await open('/elements')
    await page.getByText('the less they click: a strong relation (correlation −0.62)').waitFor()
    expect(await cells('Left or clicked')).toEqual([['Buy now', '150', '50', '25.0%', '2.0 s', '1.2 s']])
    expect(await cells('Hover time')).toEqual([
      ['1.0 s – 1.2 s', '31', '47'],
      ['1.2 s – 1.4 s', '119', '3'],
    ])
  })

  it('appear on the status page', async () => {
    await open('/status')
    expect((await cells('Fates of the events')).map(([fate, reason, events]) => [fate, reason, events])).toEqual([
      ['accepted', 'new', '8,118'],
      ['bot', 'user agent', '219'],
    ])
    expect(await cells('Lanes')).toEqual([['0', '5,510', '5,499', '11']])
    await page.getByText('no broker answers').waitFor()
  })

  it('are drawn as charts', async () => {
    await open('/')
    await page.locator('.chart canvas').waitFor()
  })

  it('update automatically while the range includes today', async () => {
    await open('/')
    await page.getByText('2,404').waitFor()
    server.fixture.views = 2_405
    await page.getByText('2,405').waitFor()
  })

  it('can be saved as CSV', async () => {
    await open('/')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download pages as CSV' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('pages.csv')
    expect(await readFile(await download.path(), 'utf8')).toBe('url,views\r\na,1\r\n')
  })
})

describe('event data', () => {
  it('stays text', async () => {
    await open('/')
    await page.getByText(EVIL).waitFor()
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(await page.evaluate(() => 'pwned' in window)).toBe(false)
  })
})

describe('the view', () => {
  it('is stored in the URL and restored from it', async () => {
    await open('/funnel')
    await page.getByRole('button', { name: '90 days' }).click()
    await page.waitForURL('**/funnel?range=90d')
    await page.getByRole('link', { name: 'Elements' }).click()
    await page.waitForURL('**/elements?range=90d')
    await page.goBack()
    await page.getByRole('heading', { name: 'Funnel', level: 1 }).waitFor()
    await page.reload()
    await page.locator('button[aria-pressed="true"]', { hasText: '90 days' }).waitFor()
  })

  it('has no horizontal scroll on a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    for (const path of ['/', '/funnel', '/elements', '/settings', '/status']) {
      await open(path)
      await page.locator('.card').last().waitFor()
      expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 390])
    }
  })

  it('shows how to install the tracker if there are no events', async () => {
    server.fixture.traffic = []
    await open('/')
    await page.getByText('No events in this range').waitFor()
    expect(await page.locator('.copy code').textContent()).toContain(`src="${server.origin}/hopper.js"`)
    expect(await page.getByRole('link', { name: 'demo shop' }).getAttribute('href')).toBe('/demo/')
  })

  it('shows that events are being counted if an empty report has a backlog', async () => {
    server.fixture.traffic = []
    server.fixture.lag = { messages: 900, events: 12_000, seconds: 45, remaining_seconds: 75 }
    await open('/')
    await page.getByText('12,000 events are being counted (about 1:15 min left)').waitFor()
    expect(await page.getByText('No events in this range').count()).toBe(0)
  })

  it("shows the API's error message", async () => {
    await page.goto(`${server.origin}/?app=blog`)
    await page.getByText('There is nothing at /api/v1/apps/blog/traffic.').waitFor()
  })
})

describe('a member', () => {
  it('logs in and out', async () => {
    server.fixture.loggedIn = false
    await open('/funnel')
    await page.getByLabel('Member').fill('ann')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Name or password is wrong.').waitFor()
    await page.getByLabel('Password').fill('right horse')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Funnel', level: 1 }).waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
  })

  it('must log in again when the login has ended', async () => {
    await open('/')
    server.fixture.loggedIn = false
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
  })

  it('adds a funnel, and sees why it cannot be added twice', async () => {
    await open('/settings')
    const card = page.getByRole('region', { name: 'Funnels', exact: true })
    for (const id of ['checkout', 'signup']) {
      if (id === 'checkout') await card.getByRole('button', { name: 'Add a funnel' }).click()
      await card.getByLabel('Name', { exact: true }).fill('Sign up')
      await card.getByLabel('Id (letters').fill(id)
      await card.getByLabel('Name of stage 1').fill('Start')
      await card.getByLabel('Address of stage 1').fill('/start')
      await card.getByRole('button', { name: 'Save' }).click()
      await card.getByText(id === 'checkout' ? 'There is a funnel "checkout" already.' : 'signup').waitFor()
    }
    expect(server.fixture.funnels[1]).toMatchObject({
      id: 'signup',
      name: 'Sign up',
      stages: [{ id: 1, name: 'Start', url: '/start' }],
    })
    await card.getByText('Its past is being counted: 25 %').waitFor()
  })

  it('sees a new key once, with its script tag', async () => {
    await open('/settings')
    await page.getByRole('button', { name: 'Create a key' }).click()
    await page.getByText('hw_shown_only_now_1234', { exact: true }).waitFor()
    expect(await page.getByLabel('Script tag with the new key').textContent()).toBe(
      `<script async src="${server.origin}/hopper.js" data-key="hw_shown_only_now_1234"></script>`,
    )
    await page.reload()
    await page.getByText('Wxyz').waitFor()
    expect(await page.getByText('hw_shown_only_now_1234').count()).toBe(0)
  })
})
