import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { brotliCompressSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
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
    expect(await cells('Left or clicked')).toEqual([['Buy now', '150', '50', '25.0\u202f%', '2.0 s', '1.2 s']])
    expect(await cells('Hover time')).toEqual([
      ['1.0 s – 1.2 s', '31', '47'],
      ['1.2 s – 1.4 s', '119', '3'],
    ])
  })

  it('appear on the system page', async () => {
    await open('system')
    expect((await cells('Fates of the events')).map(([fate, reason, events]) => [fate, reason, events])).toEqual([
      ['accepted', 'new', '8,118'],
      ['bot', 'user agent', '219'],
    ])
    expect(await cells('Lanes')).toEqual([['0', '5,510', '5,499', '11']])
    await page.getByText('no broker answers').waitFor()
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

  it('of an app that one may not see says so', async () => {
    await page.goto(`${server.origin}/a/secret/overview`)
    await page.getByRole('heading', { name: 'There is no app “secret”, or you may not see it.' }).waitFor()
    await page.getByRole('link', { name: 'Shop' }).waitFor()
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
  it('an outage is told once, and ends by itself', async () => {
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
        'journeys',
        'elements',
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

  it('is told that the login has ended', async () => {
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
    const asked = page.waitForEvent('dialog').then(async (dialog) => {
      await dialog.dismiss()
      return dialog.message()
    })
    await page.getByRole('link', { name: 'Elements' }).first().click()
    expect(await asked).toBe('Leave without saving?')
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
    await card.getByRole('button', { name: `Really: Delete the rule ${EVIL}` }).click()
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
