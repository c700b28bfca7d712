import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Locator } from 'playwright-core'
import { holdRequest } from './held-request.fixture.ts'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable, forEachLook } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const SOON = { timeout: 20_000 }
/** The first question to a new process is slow on a busy machine. */
const STORED = { timeout: 60_000 }
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const DEVICE = 'live-device'
let dashboard: OpenedDashboard
let list: Locator

interface Stored {
  readonly event_id: string
  readonly type: string
  readonly timestamp: number
  readonly seq: number
  readonly device_id: string
  readonly user?: string
  readonly context: { readonly bot?: string }
  readonly lane: number
  readonly position: number
  readonly index: number
}

beforeAll(async () => {
  dashboard = await openDashboard({ days: 5, visitors: 150 })
  list = dashboard.page.locator('.live-events')
}, 400_000)
afterAll(() => dashboard?.close())
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.page.unrouteAll()
  await dashboard.page.setViewportSize({ width: 1_440, height: 900 })
  await dashboard.page.emulateMedia({ colorScheme: 'light' })
})

const own = (name: string, more: object = {}): object => ({
  type: 'custom',
  name,
  event_id: name,
  timestamp: Date.now(),
  ...more,
})
const rowOf = (text: string): Locator => list.getByRole('listitem').filter({ hasText: text })

/** Sends events and waits until they are stored. */
async function store(names: readonly string[], sender?: object): Promise<void> {
  await dashboard.send(
    DEVICE,
    names.map((name) => own(name)),
    sender,
  )
  await expect
    .poll(async () => {
      const ids = new Set((await all()).map(({ event_id }) => event_id))
      return names.filter((name) => !ids.has(name))
    }, STORED)
    .toEqual([])
}

/** Makes the page believe that its tab is hidden or visible. */
async function show(state: 'hidden' | 'visible'): Promise<void> {
  await dashboard.page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}

/** Reads all events in the order of the log, page by page. */
async function all(): Promise<Stored[]> {
  const found: Stored[] = []
  for (let start = '0'; ;) {
    const { events, next } = await dashboard.get<{ events: Stored[]; next: string }>(`events?limit=1000&start=${start}`)
    if (events.length === 0) return found
    found.push(...events)
    start = next
  }
}

function byTime(a: Stored, b: Stored): number {
  return b.timestamp - a.timestamp || b.seq - a.seq || b.position - a.position || b.lane - a.lane || b.index - a.index
}

it('shows the newest of all stored events at once, page by page, in the order of their times', async () => {
  const { page } = dashboard
  await store(['stored-1', 'stored-2'])
  const expected = (await all()).sort(byTime).map(({ timestamp }) => new Date(timestamp).toISOString())
  expect(expected.length).toBeGreaterThan(200)
  await dashboard.open('live')
  await rowOf('stored-2').waitFor()
  const times = (): Promise<(string | null)[]> =>
    list.locator('time').evaluateAll((found) => found.map((one) => one.getAttribute('datetime')))
  expect(await times()).toEqual(expected.slice(0, 100))
  await page.getByRole('button', { name: 'Show older events' }).click()
  await expect.poll(async () => (await times()).length, SOON).toBe(200)
  expect(await times()).toEqual(expected.slice(0, 200))
  expect(await page.getByText(/^newest event \d+ (s|min) ago$/).textContent()).toBeTruthy()
})

it('follows from the stored events without a gap and without an event twice, in whatever order they come', async () => {
  const { page } = dashboard
  await store(['gap-0'])
  const held = await holdRequest(page, /\/live\?/)
  await dashboard.open('live')
  await rowOf('gap-0').waitFor()
  await held.requested
  // counted after the page was read, and before the stream is open
  await store(['gap-1', 'gap-2'])
  expect(await rowOf('gap-1').count()).toBe(0)
  held.release()
  await rowOf('gap-2').waitFor()
  await dashboard.send(DEVICE, [own('gap-3')])
  await rowOf('gap-3').waitFor()
  // a page that is read now has events that came in, too
  const answered = page.waitForResponse(/events\?order/)
  await page.getByLabel('Kind').selectOption('Events of the site')
  await answered
  await page.getByLabel('Kind').selectOption('All kinds')
  await rowOf('gap-0').waitFor()
  const names = (await list.locator('.live-what').allTextContents()).filter((name) => name.startsWith('gap-'))
  expect(names.sort()).toEqual(['gap-0', 'gap-1', 'gap-2', 'gap-3'])
  // a hidden tab follows nothing, and goes on where it was
  await show('hidden')
  await store(['gap-4'])
  expect(await rowOf('gap-4').count()).toBe(0)
  await show('visible')
  await rowOf('gap-4').waitFor()
  expect(await rowOf('gap-').count()).toBe(5)
})

it('holds events back while it is paused, and counts them', async () => {
  const { page } = dashboard
  await dashboard.open('live')
  await list.getByRole('listitem').first().waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await dashboard.send(DEVICE, [own('held-1'), own('held-2')])
  await page.getByText('2 new').waitFor()
  expect(await rowOf('held-').count()).toBe(0)
  await page.getByRole('button', { name: 'Resume' }).click()
  await rowOf('held-1').waitFor()
  expect(await rowOf('held-').count()).toBe(2)
})

it('kind, sender and search choose among stored events and those that come in', async () => {
  const { page } = dashboard
  await store(['chosen-stored'])
  await store(['robot-stored'], { webdriver: true })
  await dashboard.open('live')
  await rowOf('robot-stored').getByText('robot', { exact: true }).waitFor()
  await page.getByLabel('Kind').selectOption('Events of the site')
  await expect.poll(() => list.getByText('Page view').count(), SOON).toBe(0)
  const ofKind = (await all()).filter(({ type }) => type === 'custom').length
  await expect.poll(() => list.getByRole('listitem').count(), SOON).toBe(Math.min(100, ofKind))
  const view = { type: 'url_change', from: '', to: 'https://shop.example/unseen', elapsed_time: 0 }
  await dashboard.send(DEVICE, [{ ...view, timestamp: Date.now() }, own('chosen-live', { data: { plan: 'gold' } })])
  await rowOf('chosen-live').waitFor()
  expect(await rowOf('/unseen').count()).toBe(0)
  await page.getByRole('combobox', { name: 'From' }).selectOption('Robots')
  await expect.poll(() => list.getByRole('listitem').count(), SOON).toBe(1)
  await dashboard.send(DEVICE, [own('robot-live')], { webdriver: true })
  await rowOf('robot-live').waitFor()
  await page.getByRole('combobox', { name: 'From' }).selectOption('People')
  await rowOf('chosen-stored').waitFor()
  expect(await rowOf('robot-').count()).toBe(0)
  const search = page.getByRole('searchbox', { name: 'Search these events' })
  await search.fill('GOLD')
  await expect.poll(() => list.getByRole('listitem').count(), SOON).toBe(1)
  await page.reload()
  await rowOf('chosen-live').waitFor()
  expect(await list.getByRole('listitem').count()).toBe(1)
  await search.fill('nobody-has-this')
  await page.getByText('None of the loaded events matches.').waitFor()
})

it('opens an event with all its properties, what became of it, and the person', async () => {
  const { page } = dashboard
  const address = 'https://shop.example/order'
  await dashboard.send(DEVICE, [own('opened', { data: { plan: 'gold', seats: 3 }, current_url: address })])
  await dashboard.open('live?q=opened')
  await rowOf('/order').getByRole('button').click()
  const receipt = page.getByRole('region', { name: 'Receipt' })
  await receipt.getByText('on time').waitFor()
  await receipt.getByText('seen for the first time').waitFor()
  await receipt.getByText('activity_by_date').waitFor()
  const facts = Object.fromEntries(
    await receipt
      .locator('dl > div')
      .evaluateAll((lines) => lines.map((line) => [...line.children].map(({ textContent }) => textContent ?? ''))),
  ) as Record<string, string>
  expect(facts).toMatchObject({ plan: 'gold', seats: '3', event_id: 'opened', device_id: DEVICE, current_url: address })
  expect(facts).toMatchObject({ Event: 'opened', Page: 'shop.example/order', Browser: 'Firefox' })
  await page.reload()
  await receipt.getByText('on time').waitFor()
  await receipt.getByText('gold').first().waitFor()
  await receipt.getByRole('link', { name: 'Open this person' }).click()
  await page.waitForURL(/\/people\/d(:|%3A)live-device/)
  await page.getByText('opened').first().waitFor()
})

it('says how old the newest event is while nothing comes', async () => {
  const { page } = dashboard
  await dashboard.send(DEVICE, [own('aged', { timestamp: Date.now() - 40_000 })])
  await dashboard.open('live?q=aged&kind=custom')
  await rowOf('aged').waitFor()
  const age = async (): Promise<number> =>
    Number(/newest event (\d+) s ago/.exec((await page.locator('.live-status').textContent()) ?? '')?.[1])
  const first = await age()
  await expect.poll(age, SOON).toBeGreaterThan(first)
})

it('says how many people were there in the last 5 and 30 minutes, and where', async () => {
  const { page } = dashboard
  const visit = (path: string, ageMs: number): object => ({
    type: 'url_change',
    from: '',
    to: `https://shop.example/${path}`,
    elapsed_time: 0,
    timestamp: Date.now() - ageMs,
  })
  await dashboard.send('now-1', [visit('first', 2 * MINUTE_MS), visit('now-page', MINUTE_MS)])
  await dashboard.send('now-2', [visit('now-page', 20 * MINUTE_MS)])
  await dashboard.send('now-3', [visit('now-page', 40 * MINUTE_MS)])
  await dashboard.send('now-4', [visit('now-page', MINUTE_MS)], { webdriver: true })
  await expect.poll(async () => (await all()).some(({ device_id }) => device_id === 'now-4'), SOON).toBe(true)
  await dashboard.open('live')
  const now = page.getByRole('region', { name: 'Now' })
  await now.waitFor()
  const said = async (): Promise<number[]> =>
    [...((await now.textContent()) ?? '').matchAll(/(\d+) (?:people |person )?in the last/g)].map(([, n]) => Number(n))
  const expected = (await all()).filter(({ context }) => context.bot === undefined)
  const people = (minutes: number): number =>
    new Set(
      expected
        .filter(({ timestamp }) => timestamp >= Date.now() - minutes * MINUTE_MS)
        .map(({ user, device_id }) => user ?? device_id),
    ).size
  await expect.poll(said, { timeout: 60_000 }).toEqual([people(5), people(30)])
  // now-1 and now-2 were there last; now-3 is gone, now-4 is a robot
  await now.getByRole('button', { name: /now-page.*\b2\b.*search for this page/ }).click()
  await expect.poll(() => rowOf('now-page').count(), SOON).toBe(4)
})

it('is linked from the overview, whose numbers all have a trend line and a comparison', async () => {
  const { page } = dashboard
  const [yesterday, today] = [1, 0].map((days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10))
  await dashboard.open(`overview?range=${yesterday}..${today}`)
  const numbers = page.locator('.headline > div')
  await expect
    .poll(
      () =>
        numbers.evaluateAll((found) =>
          found.map((one) => [
            one.querySelector('.sparkline') !== null,
            / vs 2 days before/.test(one.textContent ?? ''),
          ]),
        ),
      SOON,
    )
    .toEqual(Array.from({ length: 4 }, () => [true, true]))
  await page.getByRole('link', { name: /^\d+ (person|people) now$/ }).click()
  await page.getByRole('heading', { name: 'Live', level: 1 }).waitFor()
})

it('everybody can use it, with an event open, in every look', async () => {
  const { page } = dashboard
  await store(['usable'])
  await forEachLook(page, async () => {
    await dashboard.open('live?q=usable')
    await rowOf('usable').getByRole('button').click()
    await page.getByRole('region', { name: 'Receipt' }).getByText('on time').waitFor()
    await expectUsable(page)
  })
})
