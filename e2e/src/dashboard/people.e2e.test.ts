import type { ElementsAnswer, FunnelAnswer, HesitationAnswer } from '@hopper/contracts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { numberOf, openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const DAY_MS = 86_400_000
const SOON = { timeout: 20_000 }
const range = { from: dateBefore(29), to: dateBefore(0) }
const rangeText = `${range.from}..${range.to}`
const query = new URLSearchParams(range).toString()
const percent = (share: number | null): string => `${((share ?? 0) * 100).toFixed(1)}\u202f%`
let dashboard: OpenedDashboard

interface Listed {
  readonly persons: readonly { readonly id: string; readonly events: number; readonly devices: number }[]
}

beforeAll(async () => {
  dashboard = await openDashboard({ days: 30, visitors: 1_500 })
}, 400_000)
afterAll(() => dashboard?.close())
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.page.setViewportSize({ width: 1_440, height: 900 })
  await dashboard.page.emulateMedia({ colorScheme: 'light' })
})

function dateBefore(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)
}

describe('hesitation', () => {
  it('has the numbers of the API for a mouse, and none for phones', async () => {
    const { page } = dashboard
    const { rows } = await dashboard.get<{ rows: { xpath: string; name: string }[] }>(`elements/actions?${query}`)
    const element = rows[0]!
    const asked = { ...range, element: element.xpath, funnel: 'checkout', step: 2 }
    const answer = await dashboard.post<HesitationAnswer>('hesitation/query', asked)
    expect(answer.hovers).toBeGreaterThan(0)
    await dashboard.open(`funnels/checkout?range=${rangeText}&stage=2&show=lost&tab=hesitation`)
    const table = page.getByRole('region', { name: 'Hesitation' })
    for (const [name, count] of [
      ['Everybody', answer],
      ['Went on', answer.went_on!],
      ['Lost', answer.lost!],
    ] as const) {
      const row = table.locator('tr', { has: page.getByRole('rowheader', { name, exact: true }) })
      await row.waitFor()
      const cells = await row.getByRole('cell').allTextContents()
      expect([numberOf(cells[0]!), numberOf(cells[1]!)]).toEqual([count.people, count.hovers])
      if (count.hovers > 0) expect(cells[2]).toBe(percent(count.clicked_share))
    }
    await page.goto(`${page.url()}&f=device:mobile`)
    await page.getByText('Nobody hovered over it by mouse.').waitFor()
  })

  it('of each element is on the page of elements, with a sentence only where enough people were seen', async () => {
    const { page } = dashboard
    const { elements } = await dashboard.get<{ elements: { xpath: string; name: string }[] }>('elements')
    const asked = { ...range, funnel: 'checkout' }
    const { rows } = await dashboard.post<ElementsAnswer>('elements/query', asked)
    await dashboard.open(`elements?range=${rangeText}`)
    const table = page.getByRole('region', { name: 'Elements by stage and page' })
    await table.waitFor()
    for (const { xpath, name } of elements) {
      const nobody = { hovers: 0, people: 0, clicked_share: null, taps: 0 }
      const { hovers, people, clicked_share: share, taps } = rows.find((row) => row.xpath === xpath) ?? nobody
      const row = table.locator('tr', { has: page.locator(`[title="${xpath}"]`) })
      const cells = await row.getByRole('cell').allTextContents()
      expect([name, ...cells.slice(0, 3)]).toEqual([
        name,
        people.toLocaleString('en'),
        hovers.toLocaleString('en'),
        hovers === 0 ? '–' : percent(share),
      ])
      expect(cells.at(-1)).toBe(taps === 0 ? '–' : taps.toLocaleString('en'))
    }
    const most = rows[0]!
    await table.locator(`[title="${most.xpath}"]`).click()
    const alone = await dashboard.post<HesitationAnswer>('hesitation/query', { ...asked, element: most.xpath })
    const [clicks, leaves] = [alone.clicked, alone.hovers - alone.clicked]
    expect([alone.hovers, Math.min(clicks, leaves) >= 100]).toEqual([most.hovers, true])
    const sizes = `(n = ${clicks.toLocaleString('en')} and ${leaves.toLocaleString('en')})`
    const isLonger = alone.median_click_ms! > alone.median_leave_ms!
    expect([isLonger, alone.correlation! > 0]).toEqual([true, true])
    const sentence = page.getByText(/^People who click look longer: .* against /).filter({ hasText: sizes })
    await sentence.waitFor()
    await page.reload()
    await sentence.waitFor()
    await expectUsable(page)

    await page.goto(`${page.url()}&f=device:mobile`)
    await table.waitFor()
    await page.getByText('Nobody looked at it by mouse.').waitFor()
  })

  it('of three looks is no sentence', async () => {
    const { page } = dashboard
    const xpath = "//*[@id='rare']"
    const look = (number: number, clicked: boolean): object => ({
      event_id: `rare-${number}`,
      type: 'btn_time',
      target: xpath,
      action: clicked ? 'hover-then-clicked' : 'hover-then-leave',
      elapsed_time: 1_000 * number,
      pointer: 'mouse',
      timestamp: Date.now(),
    })
    await dashboard.send('looking-device', [look(1, false), look(2, true), look(3, true)])
    await expect
      .poll(() => dashboard.post('hesitation/query', { ...range, element: xpath }), SOON)
      .toMatchObject({ hovers: 3, clicked: 2 })
    await dashboard.open(`elements?range=${rangeText}&element=${encodeURIComponent(xpath)}`)
    await page.getByText('No comparison below 100 clicks and 100 looks without a click.').waitFor()
    expect(await page.getByText('People who click look').count()).toBe(0)
  })
})

describe('people', () => {
  it('lists the same people as the API, finds one by id, and shows the events of that person', async () => {
    const { page } = dashboard
    const { persons } = await dashboard.get<Listed>(`persons?${query}&order=-events&limit=50`)
    await dashboard.open(`people?range=${rangeText}&order=events`)
    const rows = page.getByRole('region', { name: 'People' }).locator('tbody tr')
    await rows.first().waitFor()
    expect(await rows.getByRole('rowheader').allTextContents()).toEqual(persons.map(({ id }) => id.slice(2)))
    await page.getByRole('button', { name: 'Show more people' }).click()
    await rows.nth(60).waitFor()
    const ids = await rows.getByRole('rowheader').allTextContents()
    expect(new Set(ids).size).toBe(ids.length)
    const one = persons[3]!
    await page.getByRole('searchbox', { name: 'Search by id, device or trait' }).fill(one.id.slice(2))
    await expect.poll(() => rows.count(), SOON).toBe(1)
    const address = page.url()
    await rows.getByRole('link').click()
    await page.getByRole('heading', { level: 1, name: one.id.slice(2) }).waitFor()
    await page.getByText(`${one.events} events in this range`).waitFor()
    const answer = await dashboard.post<FunnelAnswer>('funnels/query', {
      ...range,
      funnel: 'checkout',
      filters: [{ type: 'eq', key: 'person', value: one.id }],
    })
    const reached = answer.steps.filter(({ count }) => count > 0).length
    const place = page.getByRole('region', { name: 'In the funnels' })
    await place
      .getByText(
        reached === 0
          ? 'Not started'
          : reached === answer.steps.length
            ? 'Went all the way'
            : `Reached ${answer.steps[reached - 1]!.name} (${reached} of ${answer.steps.length})`,
      )
      .waitFor()
    await page.getByRole('region', { name: 'Visits' }).getByRole('listitem').first().waitFor()
    await page.goBack()
    await rows.first().waitFor()
    expect(page.url()).toBe(address)
  })

  it('from the people behind a cause one person can be opened', async () => {
    const { page } = dashboard
    await dashboard.open(`funnels/checkout?range=${rangeText}&stage=2&show=lost`)
    const panel = page.getByRole('complementary')
    await panel.locator('.person').first().click()
    await panel.getByRole('link', { name: 'Open this person' }).click()
    await page.getByRole('region', { name: 'Visits' }).waitFor()
  })

  it('forgets one after its id was typed, and shows the certificate', async () => {
    const { page } = dashboard
    await dashboard.send('leaving-device', [{ type: 'custom', name: 'bye', event_id: 'bye-1', timestamp: Date.now() }])
    const path = `people/${encodeURIComponent('d:leaving-device')}?range=today`
    await expect
      .poll(() => dashboard.get<Listed>(`persons?${query}&search=leaving-device`), SOON)
      .toMatchObject({ persons: [{ id: 'd:leaving-device' }] })
    await dashboard.open(path)
    await page.getByRole('button', { name: 'Forget' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('To be deleted: 1 event of 1 device.').waitFor()
    const confirm = dialog.getByRole('button', { name: 'Forget' })
    expect(await confirm.isDisabled()).toBe(true)
    await dialog.getByRole('textbox').fill('leaving-device')
    await confirm.click()
    const certificate = page.getByRole('region', { name: 'Certificate of forgetting' })
    await certificate.getByText('Forgotten: nothing').waitFor({ timeout: 60_000 })
    expect(await certificate.locator('pre').textContent()).toMatch(/^[0-9a-f]{64}$/)
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false)
    // nothing is left of what was typed, also where the id was shown
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await page.locator('input').evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))).toEqual(
      [],
    )
  })
})

describe('an open page', () => {
  it('shows what is counted by itself, without asking again and again', async () => {
    const { page } = dashboard
    const asked: string[] = []
    await dashboard.open('funnels/checkout?range=7d')
    await page.locator('.stage .opens').first().waitFor()
    const before = numberOf(await page.locator('.stage .opens').first().textContent())
    page.on('request', (request) => {
      if (request.url().includes('funnels/query')) asked.push(request.url())
    })
    await dashboard.send('new-visitor', [
      {
        type: 'url_change',
        from: '',
        to: `${dashboard.installation.ingestUrl}/demo/shop/`,
        elapsed_time: 0,
        event_id: 'n-1',
        timestamp: Date.now(),
      },
    ])
    await expect
      .poll(async () => numberOf(await page.locator('.stage .opens').first().textContent()), SOON)
      .toBe(before + 1)
    expect(asked.length).toBeGreaterThan(0)
  })
})

describe('everyone', () => {
  it.each([
    ['people', '.people-table', 'dark', 390],
    ['person', '.visit', 'light', 390],
    ['person', '.visit', 'dark', 1_440],
    ['funnels/checkout?stage=2&show=lost&tab=hesitation', '.hesitation', 'dark', 390],
    [`elements?element=${encodeURIComponent("//*[@id='add']")}`, '.densities', 'dark', 390],
    [`elements?element=${encodeURIComponent("//*[@id='add']")}`, '.densities', 'light', 320],
  ] as const)('can use %s with %s, %s, %i px', async (path, shows, colorScheme, width) => {
    const { page } = dashboard
    const { persons } = await dashboard.get<Listed>(`persons?${query}&order=-events&limit=1`)
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme })
    await dashboard.open(path === 'person' ? `people/${encodeURIComponent(persons[0]!.id)}` : path)
    await page.locator(shows).first().waitFor()
    await expectUsable(dashboard.page)
  })

  it.each([
    ['Control+k', 'Go to a page or do something', 'light', 1_440],
    ['Control+k', 'Go to a page or do something', 'dark', 390],
    ['Shift+?', 'Keys', 'dark', 1_440],
  ] as const)('can use what %s opens, %s, %s, %i px', async (key, name, colorScheme, width) => {
    const { page } = dashboard
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme })
    await dashboard.open('funnels')
    await page.keyboard.press(key)
    await page.getByRole('dialog', { name }).waitFor()
    await expectUsable(page)
  })
})
