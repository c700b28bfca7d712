import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { smallerPng } from './smaller-png.ts'

/**
 * Takes pictures of the pages of the dashboard for the documents: `npm run screenshots`, or of some of them: `npm run
 * screenshots -- journeys explore`. They show demo data of a fixed seed, which ends today.
 */
const dir = resolve(import.meta.dirname, '../../../docs/screenshots')
const wide = { width: 1_280, height: 800 }
/** On a busy machine, an answer over the whole of the demo data takes its time. */
const TIMEOUT_MS = 120_000
/** nothing is sent there, since the alert in the picture never fires */
const WEBHOOKS = 'https://hooks.example'
const phone = { width: 390, height: 844 }

interface Shot {
  readonly name: string
  readonly path: string
  readonly size?: { readonly width: number; readonly height: number }
  readonly scheme?: 'light' | 'dark'
  /** selects the part that must be there, in addition to the heading, for the page to be complete */
  readonly shows?: string
  /** opens a part of the page first */
  readonly open?: (page: Page) => Promise<void>
}

const shots: readonly Shot[] = [
  { name: 'overview', path: 'overview', open: hasAllNumbers },
  { name: 'overview-phone', path: 'overview', size: phone, open: hasAllNumbers },
  { name: 'funnel', path: 'funnels/checkout?vs=previous' },
  {
    name: 'funnel-dark',
    path: 'funnels/checkout?stage=4&show=lost&tab=differences',
    scheme: 'dark',
    shows: '.differences li',
  },
  { name: 'funnel-instead', path: 'funnels/checkout?stage=5&show=lost&tab=instead', shows: '.instead li' },
  { name: 'funnel-phone', path: 'funnels/checkout', size: phone, scheme: 'dark' },
  { name: 'journeys', path: 'journeys', shows: '.journey-node' },
  { name: 'journeys-dark', path: 'journeys?start=/demo*/cart&depth=4', scheme: 'dark', shows: '.journey-node' },
  { name: 'journeys-phone', path: 'journeys?depth=3', size: phone, shows: '.journey-node' },
  { name: 'explore', path: 'explore?what=type:url_change&by=device&as=line', open: hasAllLines },
  { name: 'explore-dark', path: 'explore?as=retention', scheme: 'dark', shows: '.retention' },
  { name: 'explore-phone', path: 'explore?by=browser&as=bar', size: phone, shows: '.explore-bars' },
  {
    name: 'funnel-save',
    path: 'funnels/checkout',
    size: { width: 1_280, height: 640 },
    open: async (page) => {
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      await page.getByRole('button', { name: /^PNG/ }).waitFor()
    },
  },
  {
    name: 'sharing',
    path: 'funnels/checkout',
    open: async (page) => {
      await page.getByRole('button', { name: 'Share', exact: true }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'connect', path: 'connect', shows: '.arrived' },
  { name: 'elements', path: 'elements', shows: '.element-table tbody tr' },
  {
    name: 'element',
    path: 'elements',
    shows: '.element-table tbody tr',
    open: async (page) => {
      await page.locator('.element-table tbody button').first().click()
      await page.locator('.densities').first().waitFor()
    },
  },
  {
    name: 'person',
    path: 'people',
    shows: '.people-table',
    open: async (page) => {
      await page.locator('.people-table tbody a').first().click()
      await page.waitForURL('**/people/**')
      await page.locator('.card').first().waitFor()
    },
  },
  { name: 'people', path: 'people', shows: '.people-table' },
  { name: 'people-phone', path: 'people', size: phone, scheme: 'dark', shows: '.people-table' },
  { name: 'live', path: 'live', open: visit },
  { name: 'alerts', path: 'alerts', shows: '.alerts > li' },
  { name: 'settings', path: 'settings', shows: '.list li' },
  { name: 'account', path: 'account', shows: '.list li' },
  { name: 'account-phone', path: 'account', size: phone, scheme: 'dark', shows: '.list li' },
  { name: 'system', path: 'system', size: { width: 1_280, height: 600 }, shows: '.verdict' },
]

/** Waits until no number of the overview is missing. */
async function hasAllNumbers(page: Page): Promise<void> {
  await page.locator('.headline dd').first().waitFor()
  await page
    .locator('.headline dd', { hasText: /^(–|no comparison)$/ })
    .first()
    .waitFor({ state: 'detached' })
}

/** Waits for the last line of a breakdown by device: each is a question of its own, and ends with a point. */
async function hasAllLines(page: Page): Promise<void> {
  await page.locator('.line-chart circle').nth(3).waitFor()
}

/** Somebody goes through the shop while the page of live events is open. */
async function visit(page: Page): Promise<void> {
  const shop = `${dashboard.installation.ingestUrl}/demo/shop`
  const went = ['/', '/products', '/products/lamp', '/cart', '/checkout', '/thanks'].map((path, index) => ({
    type: 'url_change',
    from: '',
    to: `${shop}${path}`,
    elapsed_time: 0,
    event_id: `visit-${index}`,
    timestamp: Date.now() - (6 - index) * 1_000,
  }))
  await dashboard.send('d-2f1c6ab09e77d3c4', went)
  await page
    .locator('.live-events li')
    .nth(went.length - 1)
    .waitFor()
}

/** Makes the alert that the page of alerts shows. */
async function makeAlert({ page }: OpenedDashboard): Promise<void> {
  await page.evaluate(async (url) => {
    const csrf = /hopper_csrf=([^;]+)/.exec(document.cookie)![1]!
    const alert = { name: 'Checkout falls', fall: { funnel: 'checkout' }, webhook: { url } }
    const answer = await fetch('/api/v1/apps/demo-shop/alerts', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hopper-csrf': csrf },
      body: JSON.stringify(alert),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }, `${WEBHOOKS}/hopper`)
}

async function take(dashboard: OpenedDashboard, shot: Shot): Promise<void> {
  const { page } = dashboard
  const { name, path, size = wide, scheme = 'light', shows = 'h1', open } = shot
  await page.setViewportSize(size)
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  await dashboard.open(path)
  await page.locator(shows).first().waitFor()
  await open?.(page)
  await page.locator('.skeleton, .query-progress, .old').first().waitFor({ state: 'detached' })
  await page.evaluate(async () => {
    await document.fonts.ready
    await Promise.all([...document.images].map((image) => image.decode()))
  })
  await writeFile(join(dir, `${name}.png`), smallerPng(await page.screenshot()))
}

const wanted = process.argv.slice(2)
const chosen = shots.filter(({ name }) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)))
await mkdir(dir, { recursive: true })
const dashboard = await openDashboard({ days: 60, visitors: 2_500 }, { env: { HOPPER_ALERT_WEBHOOKS: WEBHOOKS } })
dashboard.page.setDefaultTimeout(TIMEOUT_MS)
try {
  await makeAlert(dashboard)
  for (const shot of chosen) await take(dashboard, shot)
} finally {
  await dashboard.close()
}
if (dashboard.complaints.length > 0) throw new Error(dashboard.complaints.join('\n'))
