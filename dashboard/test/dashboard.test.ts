import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'
import { brotliCompressSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EVIL, newFixture } from './answers.fixture.ts'
import { savePicture } from './saved-picture.fixture.ts'
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
/** Brotli bytes of scripts and styles that a page may load before its numbers. */
const FIRST_LOAD_BYTES_MAX = 180_000
let dir: string
let output: Rolldown.OutputChunk[]
let server: FixtureServer
let browser: Browser
let page: Page
let complaints: string[]

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hopper-dashboard-'))
  const root = resolve(import.meta.dirname, '..')
  // else vite would build React for development, as the tests run
  process.env['NODE_ENV'] = 'production'
  const built = await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    mode: 'production',
    logLevel: 'error',
    build: { outDir: dir },
  })
  output = (built as Rolldown.RolldownOutput).output.filter((one) => one.type === 'chunk')
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
  await page.goto(`${server.origin}/a/shop/${path}`)
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
  it('appear on the elements page', async () => {
    await open('elements')
    const row = page.locator('.element-table tbody tr', { has: page.getByText('Buy now', { exact: true }) })
    await row.waitFor()
    expect(await row.getByRole('cell').allTextContents()).toEqual([
      '170',
      '220',
      '47.7\u202f%',
      '1.3 s',
      '800 ms',
      '–',
      '75.0\u202f% against 30.8\u202f% beyond chance',
      '37',
    ])
    await row.getByRole('button').click()
    await page.waitForURL(/element=/)
    await page.reload()
    await page.getByText('People who click look longer: 1.3 s against 800 ms (n = 105 and 115).').waitFor()
    await page.getByText('37 taps by 31 people.').waitFor()
    await page.getByRole('img', { name: 'left 800 ms, clicked 1.3 s' }).waitFor()
  })

  it('ask on the elements page whether a twin is the same button, in text', async () => {
    await open('elements')
    const card = page.getByRole('region', { name: 'The same button?' })
    await card.getByText('Its twin appeared on').waitFor()
    expect(await card.textContent()).toContain(EVIL)
    expect(await card.getByRole('button').allTextContents()).toEqual(['Link', 'Not the same'])
  })

  it('appear on the system page', async () => {
    await open('system')
    expect((await cells('Counted and not counted')).map(([fate, reason, events]) => [fate, reason, events])).toEqual([
      ['on time', 'new', '8,118'],
      ['robot', 'says that it is a robot', '219'],
    ])
    await page.locator('summary', { hasText: 'One lane' }).click()
    expect(await cells('Counting')).toEqual([['0', '5,510', '5,499', '11']])
    const verdict = page.getByRole('region', { name: 'System', exact: true })
    await verdict.getByText('kafka is not healthy: no broker answers.').waitFor()
    await verdict.getByText('31 rows that differ').waitFor()
    await verdict.getByText('113.0 MB used, 38.0 GB free: full in 3 years at this rate').waitFor()
    expect((await cells('Refused requests'))[0]!.filter((_, n) => n !== 4)).toEqual([
      'unknown key',
      `https://${'evil'.repeat(45)}.example`,
      'none',
      'ends in Wxyz',
      '5,207',
    ])
    const problem = (await cells('Processes and their last errors'))[0]!
    expect(problem[0]).toContain(EVIL)
    expect(problem[0]).toContain('HOP_STORE_UNAVAILABLE · ECONNREFUSED')
    expect([problem[1], problem[2], problem[4]]).toEqual(['aggregator', 'error', '4,711'])
    const counted = page.getByRole('region', { name: 'Counted and not counted', exact: true })
    await counted.getByRole('button', { name: 'This app' }).click()
    await counted.getByText('1,615').first().waitFor()
    expect((await cells('Counted and not counted')).map(([fate, , events]) => [fate, events])).toEqual([
      ['on time', '1,615'],
      ['repeated', '38'],
    ])
    const lost = '0.50\u202f% ± 0.14\u202f%'
    expect(await cells('Lost on the way')).toEqual([['2026-01-31', '613', '10,304', '10,253', lost]])
    expect((await cells('Audits'))[0]![0]).toBe('31 rows differ, in 2 of 1,284 partitions')
  })

  it('of the lag appear in the chip that says how sure the numbers are, until all is counted', async () => {
    server.fixture.lag = { messages: 20, events: 1_312, seconds: 40.2, remaining_seconds: 9 }
    await open('overview')
    await page.getByRole('button', { name: 'behind 40.0 s: 1,312 to count' }).waitFor()
    server.fixture.lag = { messages: 0, events: 0, seconds: 0.4, remaining_seconds: 0 }
    await page.reload()
    await page.getByRole('button', { name: /complete to \d\d:/ }).waitFor()
  })

  it('show a dead letter as text, and replay it after a dialog', async () => {
    await open('system')
    const card = page.getByRole('region', { name: 'Dead letters', exact: true })
    await card.getByText(`device_id is ${EVIL}`).waitFor()
    await card.getByText('Message, 612 B').click()
    await card.locator('pre').getByText(EVIL).waitFor()
    const replay = card.getByRole('button', { name: 'Replay the message of lane 4, position 771' })
    await replay.click()
    expect(server.fixture.letters).toHaveLength(1)
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click()
    await card.getByText('One message is in the log again.').waitFor()
    await card.getByText('Every message of the log could be counted.').waitFor()
    expect(await page.evaluate(() => 'pwned' in window)).toBe(false)
  })

  it('of an audit show its progress, and its result when it is done', async () => {
    await open('system')
    const card = page.getByRole('region', { name: 'Audits', exact: true })
    await card.getByRole('button', { name: 'Run an audit now' }).click()
    await card.getByText('Lane 4 of 8').waitFor()
    expect(await card.getByRole('button', { name: 'Run an audit now' }).isDisabled()).toBe(true)
    const [begun, ...earlier] = server.fixture.audits
    server.fixture.audits = [{ ...begun!, state: 'finished', lane: 8, partitions: 1_285 }, ...earlier]
    await card.getByText('no difference in 1,285 partitions').waitFor()
    await card.getByText('Lane 4 of 8').waitFor({ state: 'detached' })
  })

  it('update automatically while the range includes today', async () => {
    await open('overview')
    await page.getByText('2,404').waitFor()
    server.fixture.views = 2_405
    await page.getByText('2,405').waitFor()
  })

  it('can be saved as CSV, in a file that names app, report and range', async () => {
    await open('overview?range=2026-01-01..2026-01-31')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download pages as CSV' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('shop-pages-2026-01-01-2026-01-31.csv')
    expect(await readFile(await download.path(), 'utf8')).toBe('url,views\r\na,1\r\n')
  })
})

/** Returns the brotli bytes of the entry, of a page, and of all that they import, with their styles. */
async function firstLoadBytes(page: string): Promise<number> {
  const files = new Set<string>()
  const add = (chunk: Rolldown.OutputChunk): void => {
    if (files.has(chunk.fileName)) return
    files.add(chunk.fileName)
    for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style)
    for (const name of chunk.imports) add(output.find(({ fileName }) => fileName === name)!)
  }
  for (const chunk of output) if (chunk.isEntry || chunk.facadeModuleId?.endsWith(page)) add(chunk)
  const sizes = [...files].map(async (file) => brotliCompressSync(await readFile(join(dir, file))).length)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

describe('a chart', () => {
  const WHITE = '#ffffff'
  const BLUE = '#2563d9'

  it.each([
    ['overview', 'Save Traffic per day', '[data-picture] .line-chart', 'traffic', BLUE],
    ['funnels/checkout', 'Save', '.funnel[data-picture]', 'checkout', BLUE],
    ['journeys', 'Save Journeys', 'svg[data-picture]', 'journeys', BLUE],
    ['elements?element=//*%5B@id=%27buy%27%5D', /^PNG of How long/, '[data-picture] .densities', 'hesitation', BLUE],
    ['explore?as=bar', 'Save', '.explore-bars', 'explore', '#dbe7fd'],
  ])('of %s is saved as a picture with texts, twice as large and light even if the page is dark', async (...row) => {
    const [path, name, chart, report, color] = row
    await page.emulateMedia({ colorScheme: 'dark' })
    await open(`${path}${path.includes('?') ? '&' : '?'}range=2026-01-01..2026-01-31`)
    const shown = page.locator(chart).first()
    const { width, height } = (await shown.boundingBox())!
    const picture = await savePicture(page, page.getByRole('button', { name, exact: true }).first())
    expect(picture.file).toBe(`shop-${report}-2026-01-01-2026-01-31.png`)
    expect(picture.width).toBe(2 * Math.max(480, Math.ceil(width) + 48))
    expect(picture.height).toBeGreaterThan(2 * (height + 100))
    expect(picture.shares.get(WHITE)).toBeGreaterThan(0.5)
    expect(picture.shares.size).toBeGreaterThan(50)
    expect([...picture.shares.keys()]).toContain(color)
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBeUndefined()
  })
})

describe('the first load', () => {
  it.each(['overview-page.tsx', 'funnel-page.tsx', 'funnels-page.tsx', 'connect-page.tsx'])(
    'of %s is within its budget',
    async (page) => {
      const bytes = await firstLoadBytes(page)
      expect(bytes).toBeGreaterThan(50_000)
      expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX)
    },
    60_000,
  )
})

describe('event data', () => {
  it('stays text', async () => {
    await open('overview')
    await page.getByText(EVIL).waitFor()
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(await page.evaluate(() => 'pwned' in window)).toBe(false)
  })
})

describe('the address', () => {
  it('leads from / to the app and back to the app that was looked at last', async () => {
    await page.goto(`${server.origin}/`)
    await page.waitForURL('**/a/shop/overview')
    await page.goto(`${server.origin}/a/blog/settings`)
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
    await page.goto(`${server.origin}/`)
    await page.waitForURL('**/a/blog/overview')
  })

  it('holds the range, and links, back and reload keep it', async () => {
    await open('elements')
    await page.keyboard.press('9')
    await page.waitForURL('**/elements?range=90d')
    await page.getByRole('link', { name: 'Funnels' }).first().click()
    await page.waitForURL('**/funnels?range=90d')
    await page.goBack()
    await page.getByRole('heading', { name: 'Elements', level: 1 }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Range: 90 days' }).waitFor()
  })

  it('names the tab, and a move puts the focus on the heading', async () => {
    await open('elements')
    expect(await page.title()).toBe('Elements · Shop · Hopper')
    await page.getByRole('link', { name: 'System' }).first().click()
    await page.getByRole('heading', { name: 'System', level: 1 }).waitFor()
    expect(await page.title()).toBe('System · Shop · Hopper')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('System')
  })

  it.each([
    ['nonsense', 'There is no such page.'],
    ['funnels/gone', 'There is no funnel “gone” in this app.'],
    ['overview?range=next-week', 'The address has a range that cannot be read: “next-week”.'],
    ['overview?f=device', 'The address has a filter that cannot be read: “device”.'],
  ])('%s says that it leads nowhere, with a way out', async (path, title) => {
    await open(path)
    await page.getByRole('heading', { name: title, level: 1 }).waitFor()
    expect(await page.locator('.not-found a').count()).toBeGreaterThan(0)
  })

  it('loses a filter by key, and the focus goes on to the next one', async () => {
    await open('overview?f=device:desktop&f=browser:Firefox')
    const remove = (name: string): Locator => page.getByRole('button', { name: `Remove the filter ${name}` })
    const hasFocus = (button: Locator): Promise<boolean> =>
      button.evaluate((element) => element === document.activeElement)
    await remove('Device is desktop').focus()
    await page.keyboard.press('Enter')
    await remove('Device is desktop').waitFor({ state: 'detached' })
    await expect.poll(() => hasFocus(remove('Browser is Firefox'))).toBe(true)
    await page.keyboard.press('Enter')
    await remove('Browser is Firefox').waitFor({ state: 'detached' })
    await expect.poll(() => hasFocus(page.getByRole('button', { name: 'Add a filter' }))).toBe(true)
  })

  it('of an app that the member may not see says so', async () => {
    await page.goto(`${server.origin}/a/secret/overview`)
    await page.getByRole('heading', { name: 'There is no app “secret”, or you may not see it.' }).waitFor()
    await page.getByRole('link', { name: 'Shop' }).waitFor()
  })
})

describe('the palette', () => {
  it('opens a page by keys, keeps the question, and leaves no trace in the address', async () => {
    await open('overview?range=7d')
    await page.getByRole('button', { name: 'Go to …' }).focus()
    await page.keyboard.press('Control+k')
    const input = page.getByRole('combobox', { name: 'Go to a page or do something' })
    await input.fill('buy now')
    await page.getByRole('option', { name: 'Buy now' }).waitFor()
    expect(await page.evaluate(() => location.search)).toBe('?range=7d')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/a\/shop\/elements\?range=7d&element=/)
    expect(await input.count()).toBe(0)
    await page.keyboard.press('Control+k')
    await input.fill('last 90')
    await page.keyboard.press('Enter')
    await page.waitForURL(/range=90d/)
    await page.keyboard.press('Control+k')
    await input.fill('period before')
    await page.keyboard.press('Enter')
    await page.waitForURL(/vs=previous/)
  })

  it('finds people by the server, and gives the focus back', async () => {
    await open('overview')
    const button = page.getByRole('button', { name: 'Go to …' })
    await button.click()
    await page.getByRole('combobox').fill('0001')
    await page.getByRole('option', { name: '0001' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => button.evaluate((one) => one === document.activeElement)).toBe(true)
    await button.click()
    await page.getByRole('combobox').fill('0001')
    await page.getByRole('option', { name: '0001' }).click()
    await page.waitForURL('**/a/shop/people/d%3A0001*')
  })

  it('lists the keys with ?, but not while something is typed', async () => {
    await open('overview')
    await page.keyboard.press('Shift+?')
    const list = page.getByRole('dialog', { name: 'Keys' })
    await list.getByText('Last 30 days').waitFor()
    await list.getByRole('button', { name: 'Close' }).click()
    await list.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Range: 30 days' }).click()
    await page.getByLabel('First date').press('Shift+?')
    expect(await list.count()).toBe(0)
  })
})

describe('dates', () => {
  it('can be typed key by key, and count with Enter', async () => {
    await open('elements')
    await page.getByRole('button', { name: 'Range: 30 days' }).click()
    const first = page.getByLabel('First date')
    await first.fill('')
    await first.pressSequentially('2026-01-15')
    await page.getByLabel('Last date').fill('14.1.2026')
    await page.keyboard.press('Enter')
    await page.getByText('The first date is after the last one.').waitFor()
    await page.getByLabel('Last date').fill('20 Jan 2026')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/elements?range=2026-01-15..2026-01-20')
  })
})

describe('bad weather', () => {
  it('an outage is shown once, and ends by itself', async () => {
    await open('overview')
    await page.getByText('2,404').waitFor()
    server.fixture.isDown = true
    await page.getByText('Hopper does not answer.').waitFor()
    expect(await page.getByRole('alert').filter({ hasText: /\S/ }).count()).toBe(1)
    await page.getByText('2,404').waitFor()
    server.fixture.isDown = false
    await page.getByText('Hopper does not answer.').waitFor({ state: 'detached' })
  })
})

describe('a page', () => {
  it('has no horizontal scroll at any width', { timeout: 120_000 }, async () => {
    for (const width of [320, 390, 768, 2_560]) {
      await page.setViewportSize({ width, height: 844 })
      for (const path of [
        'overview',
        'funnels',
        'funnels/checkout',
        'funnels/checkout?stage=2&show=lost&who=u:ann',
        'journeys',
        'elements',
        "elements?element=//*[@id='buy']",
        'explore',
        'alerts',
        'settings',
        'system',
      ]) {
        await open(path)
        await page.locator('.card').last().waitFor()
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        expect([width, path, wide]).toEqual([width, path, 0])
      }
    }
  })
})

describe('a member', () => {
  it('logs in at a deep address and stays there, and out', async () => {
    server.fixture.loggedIn = false
    await open('elements?range=90d')
    await page.getByLabel('Member').fill('ann')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Name or password is wrong.').first().waitFor()
    await page.getByLabel('Password').fill('right horse')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Elements', level: 1 }).waitFor()
    await page.waitForURL('**/elements?range=90d')
    await page.getByRole('button', { name: 'Account: Ann' }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
  })

  it('shows that the login has ended', async () => {
    await open('overview')
    server.fixture.loggedIn = false
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await page.getByText('Your login has ended.').waitFor()
  })

  it('makes a funnel, sees it being counted, and is asked before a change is lost', async () => {
    await open('funnels')
    await page.getByRole('link', { name: 'Make funnel' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Sign up')
    await page.getByRole('button', { name: 'Add a stage of your own' }).click()
    await page.getByLabel('Name of stage 1').fill('Start')
    await page.getByLabel('Page of stage 1').fill('/start')
    const message = page.waitForEvent('dialog').then(async (dialog) => {
      await dialog.dismiss()
      return dialog.message()
    })
    await page.getByRole('link', { name: 'Elements' }).first().click()
    expect(await message).toBe('Leave without saving?')
    await page.getByRole('button', { name: 'Save funnel' }).click()
    await page.waitForURL('**/a/shop/funnels/sign-up')
    expect(server.fixture.funnels[1]).toMatchObject({
      id: 'sign-up',
      name: 'Sign up',
      stages: [{ id: 1, name: 'Start', url: '/start' }],
    })
    await page.getByText('Its past is being counted: 25 %').waitFor()
  })

  it('adds a rule about robots after having tried it, and removes one', async () => {
    await open('settings')
    const card = page.getByRole('region', { name: 'Robots', exact: true })
    await card.getByText('Judging past events: 25 %').waitFor()
    await card.getByLabel('New rule').selectOption('Page begins with')
    await card.getByLabel('Value').fill('/wp-login')
    await card.getByRole('button', { name: 'Try it on the last 30 days' }).click()
    await card.getByText('It matches 1,234 events.').waitFor()
    await card.getByRole('button', { name: 'Add the rule' }).click()
    await card.getByRole('listitem').filter({ hasText: 'Page begins with /wp-login a robot' }).waitFor()
    await card.getByRole('button', { name: `Delete the rule ${EVIL}` }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await card.getByText('Referrer contains').and(card.locator('li')).waitFor({ state: 'detached' })
    expect(server.fixture.settings.bot_rules).toEqual([{ kind: 'page', value: '/wp-login', action: 'bot' }])
  })

  it('shows robots and hides them again, and the address says so', async () => {
    await open('overview')
    await page.getByRole('button', { name: 'Robots hidden' }).click()
    await page.waitForURL('**/overview?robots=shown')
    await page.getByRole('button', { name: 'Robots shown' }).click()
    await page.waitForURL('**/overview')
    await page.getByRole('button', { name: 'Robots hidden' }).waitFor()
  })

  it('sees a new key once, with its script tag', async () => {
    await open('settings')
    await page.getByRole('button', { name: 'Create a key' }).click()
    await page.getByText('hw_shown_only_now_1234', { exact: true }).waitFor()
    expect(await page.getByLabel('Script tag with the new key').locator('pre').textContent()).toBe(
      `<script async src="${server.origin}/hopper.js" data-key="hw_shown_only_now_1234"></script>`,
    )
    await page.reload()
    await page.getByText('Wxyz').waitFor()
    expect(await page.getByText('hw_shown_only_now_1234').count()).toBe(0)
  })
})
