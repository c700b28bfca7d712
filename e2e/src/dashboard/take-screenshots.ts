import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'

/**
 * Takes pictures of the pages of the dashboard for the documents: `npm run screenshots`, or of some of them: `npm run
 * screenshots -- journeys explore`. They show demo data of a fixed seed, which ends today.
 */
const dir = resolve(import.meta.dirname, '../../../docs/screenshots')
const wide = { width: 1_280, height: 800 }
const phone = { width: 390, height: 844 }

interface Shot {
  readonly name: string
  readonly path: string
  readonly size?: { readonly width: number; readonly height: number }
  readonly scheme?: 'light' | 'dark'
  /** what must be there, beside the heading, for the page to be complete */
  readonly shows?: string
}

const shots: readonly Shot[] = [
  { name: 'overview', path: 'overview' },
  { name: 'overview-phone', path: 'overview', size: phone },
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
  { name: 'explore', path: 'explore?what=type:url_change&by=device&as=line', shows: '.line-chart' },
  { name: 'explore-dark', path: 'explore?as=retention', scheme: 'dark', shows: '.retention' },
  { name: 'explore-phone', path: 'explore?by=browser&as=bar', size: phone, shows: '.explore-bars' },
  { name: 'elements', path: 'elements' },
  { name: 'people', path: 'people', shows: '.people-table' },
  { name: 'people-phone', path: 'people', size: phone, scheme: 'dark', shows: '.people-table' },
  { name: 'live', path: 'live' },
  { name: 'alerts', path: 'alerts' },
  { name: 'settings', path: 'settings', shows: '.list' },
  { name: 'account', path: 'account', shows: '.list' },
  { name: 'account-phone', path: 'account', size: phone, scheme: 'dark', shows: '.list' },
  { name: 'system', path: 'system', size: { width: 1_280, height: 600 }, shows: '.verdict' },
]

async function take(dashboard: OpenedDashboard, shot: Shot): Promise<void> {
  const { page } = dashboard
  const { name, path, size = wide, scheme = 'light', shows = 'h1' } = shot
  await page.setViewportSize(size)
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  await dashboard.open(path)
  await page.locator(shows).first().waitFor()
  await page.locator('.skeleton, .query-progress, .old').first().waitFor({ state: 'detached' })
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: join(dir, `${name}.png`) })
}

const wanted = process.argv.slice(2)
const chosen = shots.filter(({ name }) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)))
await mkdir(dir, { recursive: true })
const dashboard = await openDashboard({ days: 60, visitors: 2_500 })
try {
  for (const shot of chosen) await take(dashboard, shot)
} finally {
  await dashboard.close()
}
if (dashboard.complaints.length > 0) throw new Error(dashboard.complaints.join('\n'))
