import { readFile } from 'node:fs/promises'
import type { Locator } from 'playwright-core'
import type { DropCause, FunnelAnswer, FunnelQuery, InsteadAnswer, PeopleAnswer } from '@hopper/contracts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { numberOf, openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { tabTo } from './keyboard.fixture.ts'
import { idsOfPeople } from './people-list.fixture.ts'
import { expectUsable } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const DAY_MS = 86_400_000
/** The window of the demo data that has ended: nobody is deciding any more, so the numbers do not move. */
const range = { from: dateBefore(40), to: dateBefore(11) }
const before = { from: dateBefore(70), to: dateBefore(41) }
const rangeText = `${range.from}..${range.to}`
const inWords: Record<DropCause, string> = {
  open: 'still deciding',
  never: 'never came back',
  late: 'too late',
  before: 'in another order',
  excluded: 'did something excluded',
  mismatch: 'another value',
}
let dashboard: OpenedDashboard

beforeAll(async () => {
  dashboard = await openDashboard({ days: 70, visitors: 2_500 })
}, 400_000)
afterAll(() => dashboard?.close())
afterEach(() => expect(dashboard.complaints).toEqual([]))

function dateBefore(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)
}

const ask = (more: Partial<FunnelQuery> = {}): Promise<FunnelAnswer> =>
  dashboard.ask({ ...range, funnel: 'checkout', ...more })
const funnel = (): Locator => dashboard.page.getByRole('list', { name: 'Funnel' })
const percent = (share: number): string => `${(share * 100).toFixed(1)}\u202f%`

/** Opens the funnel over the settled range, with more parameters. */
async function openFunnel(more = ''): Promise<void> {
  await dashboard.open(`funnels/checkout?range=${rangeText}${more}`)
  await dashboard.page.locator('.numbers').first().waitFor()
}

describe('the funnel', () => {
  it('the sentence of the Overview says the rate and the worst stage, and leads there', async () => {
    const { page } = dashboard
    const { overall, steps } = await ask()
    await dashboard.open(`overview?range=${rangeText}`)
    const sentence = page.getByRole('region', { name: 'In short' })
    await sentence.getByText(percent(overall.rate!)).first().waitFor()
    const worst = steps.slice(1).reduce((a, b) => ((a.rate_from_previous ?? 1) <= (b.rate_from_previous ?? 1) ? a : b))
    await sentence.getByRole('link', { name: worst.name, exact: true }).last().click()
    await page.waitForURL(`**/funnels/checkout?*stage=${steps.indexOf(worst) + 1}*`)
    await page.getByRole('complementary').getByRole('heading', { name: worst.name }).waitFor()
  })

  it('each stage has the number of the API, and the causes of each drop add up to it', async () => {
    const { steps } = await ask()
    await openFunnel()
    const stages = funnel().locator('.stage')
    expect(await stages.locator('.opens').allTextContents()).toEqual(
      steps.map(({ count }) => count.toLocaleString('en')),
    )
    for (const [index, { dropped, causes }] of steps.entries()) {
      if (index === 0) continue
      const drop = funnel()
        .getByRole('listitem')
        .filter({ has: dashboard.page.locator('.stage') })
        .nth(index)
      if (dropped === 0) continue
      expect(numberOf(await drop.locator('.drop > .opens').textContent())).toBe(dropped)
      const pieces = await drop.locator('.causes li').allTextContents()
      expect(pieces.reduce((sum, text) => sum + numberOf(text), 0)).toBe(dropped)
      for (const [cause, count] of Object.entries(causes) as [DropCause, number][])
        expect(pieces.some((text) => text.includes(inWords[cause]))).toBe(count > 0)
    }
  })

  it('the table has the same numbers', async () => {
    const { steps } = await ask()
    await openFunnel('&view=table')
    const rows = dashboard.page.getByRole('region', { name: 'Funnel', exact: true }).last().locator('tbody tr')
    await rows.first().waitFor()
    const counts = await rows.evaluateAll((all) => all.map((row) => row.querySelectorAll('td')[1]!.textContent))
    expect(counts.map(numberOf)).toEqual(steps.map(({ count }) => count))
  })

  it('people who are still deciding are not called lost, and the final rate is a range', async () => {
    const answer = await dashboard.ask({ from: dateBefore(29), to: dateBefore(0), funnel: 'checkout' })
    const open = answer.steps.reduce((sum, { causes }) => sum + causes.open, 0)
    expect(open).toBeGreaterThan(0)
    await dashboard.open('funnels/checkout')
    await dashboard.page.locator('.numbers .hint', { hasText: 'will end between' }).first().waitFor()
    await dashboard.page.locator('.stage-track .deciding').first().waitFor()
    await dashboard.page.locator('.line path.open').first().waitFor({ state: 'attached' })
  })
})

describe('people behind a number', () => {
  it('behind a cause there are exactly as many as it says, and back leads to the same panel', async () => {
    const { page } = dashboard
    const { steps } = await ask()
    const stage = steps.findIndex(({ causes }) => causes.never > 0) + 1
    const count = steps[stage - 1]!.causes.never
    await openFunnel()
    await funnel()
      .getByRole('button', { name: `${count.toLocaleString('en')} never came back` })
      .first()
      .click()
    const panel = page.getByRole('complementary')
    expect(numberOf(await panel.locator('.panel-count').textContent())).toBe(count)
    await panel.locator('.person').first().waitFor()
    const address = page.url()
    expect(address).toContain(`stage=${stage}`)
    expect(address).toContain('cause=never')
    const asked = { ...range, funnel: 'checkout', step: stage, outcome: 'never' }
    const { total, people } = await dashboard.post<PeopleAnswer>('people/query', { ...asked, limit: 1_000 })
    expect([total, people.length]).toEqual([count, count])
    expect(await idsOfPeople(panel)).toEqual(people.map(({ id }) => id))

    const { id } = people[count - 3]!
    const item = panel.locator('li', { has: page.locator(`[title="${id}"]`) })
    await item.locator('.person').click()
    await item.getByRole('list', { name: 'What they did' }).getByRole('listitem').first().waitFor()
    await item.getByText(`${stage - 1} of ${steps.length}`).waitFor()
    const alone = await ask({ filters: [{ type: 'eq', key: 'person', value: id }] })
    expect([alone.steps[stage - 2]!.count, alone.steps[stage - 1]!.causes.never]).toEqual([1, 1])

    const list = panel.locator('.people')
    const scrolled = await list.evaluate(({ scrollTop }) => scrollTop)
    expect(scrolled).toBeGreaterThan(0)
    await item.getByRole('link', { name: 'Open this person' }).click()
    await page.getByRole('region', { name: 'Visits' }).waitFor()
    await page.goBack()
    await item.getByRole('list', { name: 'What they did' }).waitFor()
    expect(Math.abs((await list.evaluate(({ scrollTop }) => scrollTop)) - scrolled)).toBeLessThan(60)
    await page.goBack()
    await panel.getByRole('list', { name: 'What they did' }).waitFor({ state: 'detached' })
    expect(page.url()).toBe(address)
    await expectUsable(page)
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  })

  it('are saved as CSV, all of them', async () => {
    const { page } = dashboard
    const { steps } = await ask()
    await openFunnel('&stage=2&show=lost')
    const saved = page.waitForEvent('download')
    await page.getByRole('complementary').getByRole('button', { name: 'CSV of all' }).click()
    const lines = (await readFile(await (await saved).path(), 'utf8')).trimEnd().split('\r\n')
    expect(lines[0]).toBe('id,name,device,source,country,entered_at,last_at,last_page,steps,cause,next')
    expect(lines).toHaveLength(steps[1]!.dropped + 1)
  })

  it('the definition has a call that gives the same answer', async () => {
    const { page } = dashboard
    await openFunnel('&stage=2&show=lost&tab=definition')
    const curl = await page.getByRole('complementary').locator('pre').textContent()
    const body = JSON.parse(/-d '(.*)'/s.exec(curl!)![1]!) as object
    const { total } = await dashboard.post<PeopleAnswer>('people/query', body)
    expect(total).toBe((await ask()).steps[1]!.dropped)
  })
})

describe('the tab Instead', () => {
  it('the next places of those lost add up to them, and one of them becomes a stage', async () => {
    const { page } = dashboard
    const { steps } = await ask()
    const instead = (step: number): Promise<InsteadAnswer> =>
      dashboard.post('instead/query', { ...range, funnel: 'checkout', step, outcome: 'dropped' })
    const answers = await Promise.all(steps.slice(1).map((_, i) => instead(i + 2)))
    expect(answers.map(({ people }) => people)).toEqual(steps.slice(1).map(({ dropped }) => dropped))
    const answer = answers.find(({ pages }) => pages.length > 0)!
    const stage = answers.indexOf(answer) + 2
    const lost = answer.people
    await openFunnel(`&stage=${stage}&show=lost`)
    const panel = page.getByRole('complementary')
    await panel.getByRole('tab', { name: 'Instead' }).click()
    expect(answer.left).toBeGreaterThan(0)
    for (const [title, none] of [
      ['Next page', answer.left],
      ['Next click', answer.no_click],
    ] as const) {
      const rows = panel.getByRole('region', { name: title }).getByRole('listitem')
      await rows.first().waitFor()
      const counts = await rows.locator('.tnum:nth-last-child(2)').allTextContents()
      expect(numberOf(counts[0]!)).toBe(none)
      expect(counts.reduce((sum, text) => sum + numberOf(text), 0)).toBe(lost)
    }
    const pages = panel.getByRole('region', { name: 'Next page' })
    const place = await pages.getByRole('listitem').nth(1).locator('bdi').textContent()
    await pages.getByRole('link', { name: `Add as stage: ${place!}` }).click()
    await page.getByRole('heading', { name: 'Edit Checkout', level: 1 }).waitFor()
    const names = await page
      .locator('.editor')
      .getByLabel('Name', { exact: true })
      .evaluateAll((all) => all.length)
    expect(names).toBeGreaterThan(0)
  })
})

describe('better than before', () => {
  it('shows both rates, and the address shows the same to others', async () => {
    const { page, browser, installation } = dashboard
    const [now, then] = [await ask(), await dashboard.ask({ ...before, funnel: 'checkout' })]
    await openFunnel()
    await page.getByRole('button', { name: /^Compare/ }).click()
    await page.getByRole('button', { name: 'Period before', exact: true }).click()
    await page.waitForURL('**vs=previous*')
    const numbers = page.locator('.numbers').first()
    for (const { overall } of [now, then]) await numbers.getByText(percent(overall.rate!)).first().waitFor()
    await page.reload()
    await numbers.getByText(percent(then.overall.rate!)).first().waitFor()
    const other = await browser.newContext({ storageState: await page.context().storageState() })
    const theirs = await other.newPage()
    await theirs.goto(page.url())
    await theirs.locator('.numbers').getByText(percent(then.overall.rate!)).first().waitFor()
    await other.close()
    expect(page.url().startsWith(installation.apiUrl)).toBe(true)
  })
})

describe('which device', () => {
  it('marks the worst value, and a press on it filters everything', async () => {
    const { page } = dashboard
    const { breakdown } = await ask({ breakdown: 'device' })
    const sized = breakdown!.filter(({ total }) => total >= 30)
    const rateOf = ({ steps, total }: (typeof sized)[number]): number => steps.at(-1)!.count / total
    const worst = sized.reduce((a, b) => (rateOf(a) <= rateOf(b) ? a : b))
    await openFunnel()
    await page.getByRole('region', { name: 'Break down' }).getByRole('button', { name: 'Device' }).click()
    const row = page.locator('.breakdown tbody tr', { has: page.getByText('worst', { exact: true }) })
    await row.waitFor()
    const named = row.getByRole('rowheader').getByRole('button')
    expect(await named.textContent()).toBe(String(worst.value))
    await row.getByRole('cell').nth(1).getByRole('button').click()
    const panel = page.getByRole('complementary')
    await panel.getByRole('heading', { name: `Device: ${String(worst.value)}` }).waitFor()
    const reached = worst.steps[1]!.count
    expect(numberOf(await panel.locator('.panel-count').textContent())).toBe(reached)
    const asked = { ...range, funnel: 'checkout', step: 2, outcome: 'reached', breakdown: 'device', value: worst.value }
    const { total, people } = await dashboard.post<PeopleAnswer>('people/query', { ...asked, limit: 1_000 })
    expect([total, new Set(people.map(({ device }) => device))]).toEqual([reached, new Set([worst.value])])
    expect(await idsOfPeople(panel)).toEqual(people.map(({ id }) => id))
    await page.keyboard.press('Escape')
    await named.click()
    await page
      .getByRole('button', { name: `Device is ${String(worst.value)}` })
      .first()
      .waitFor()
    await page
      .locator('.numbers')
      .first()
      .getByText(percent(rateOf(worst)))
      .first()
      .waitFor()
    await page.getByRole('link', { name: 'Overview' }).first().click()
    await page
      .getByRole('region', { name: 'Checkout' })
      .first()
      .getByText(percent(rateOf(worst)))
      .first()
      .waitFor()
  })
})

describe('a new funnel on old data', () => {
  it('is made by keyboard from what was seen, and its preview equals the saved funnel', async () => {
    const { page } = dashboard
    await dashboard.open('funnels')
    await page.getByRole('link', { name: 'Make funnel' }).focus()
    await page.keyboard.press('Enter')
    const name = page.getByLabel('Name', { exact: true })
    await name.focus()
    await page.keyboard.type('A shorter way')
    for (const seen of ['/demo/shop/thanks', '/demo/shop/cart', '/demo/shop/products/*']) {
      await page.getByLabel('Search pages and elements').fill(seen)
      const add = page.getByRole('button', { name: `Add as a stage: ${seen} ` })
      await add.focus()
      await page.keyboard.press('Enter')
    }
    // the last added goes first: twice up with the keys
    await page.getByLabel('Name of stage 3').focus()
    await page.keyboard.press('Alt+ArrowUp')
    await page.keyboard.press('Alt+ArrowUp')
    await page.getByLabel('Name of stage 3').focus()
    await page.keyboard.press('Alt+ArrowUp')
    const order = async (): Promise<string[]> =>
      page
        .locator('.editor-stages input[aria-label^="Name of"]')
        .evaluateAll((all) => all.map((input) => (input as HTMLInputElement).value))
    expect(await order()).toEqual(['/demo/shop/products/*', '/demo/shop/cart', '/demo/shop/thanks'])
    const preview = page.getByRole('region', { name: 'On past data, last 30 days' })
    await preview.locator('li').nth(2).waitFor()
    await preview.locator('ol[aria-busy="false"]').waitFor()
    const counts = (await preview.locator('li > .tnum:not(small)').allTextContents()).map(numberOf)
    await page.getByRole('button', { name: 'Save funnel' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/funnels/a-shorter-way')
    const saved = await dashboard.ask({ from: dateBefore(29), to: dateBefore(0), funnel: 'a-shorter-way' })
    expect(saved.total).toBeGreaterThan(0)
    expect(counts).toEqual(saved.steps.map(({ count }) => count))
    await page.getByRole('link', { name: 'Funnels' }).first().click()
    const entries = page.locator('.funnel-list h2')
    await entries.nth(1).waitFor()
    expect(await entries.allTextContents()).toEqual(['Checkout', 'A shorter way'])
    await page.getByRole('link', { name: 'Duplicate Checkout' }).click()
    await page.getByLabel('Name of stage 6').waitFor()
    expect(await order()).toEqual(['Home', 'Products', 'Product', 'Cart', 'Checkout', 'Thanks'])
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('')
  })
})

describe('open and settled', () => {
  it('days that can change are named and dashed; a late event changes settled ones', async () => {
    const { page, installation } = dashboard
    await dashboard.open('funnels/checkout')
    // today, and the seven days after whose end people can still go on
    await page.getByRole('button', { name: '8 days open' }).waitFor()
    expect(await page.locator('.line path.open').first().getAttribute('d')).toMatch(/^M.*L/)

    const { total } = await ask()
    await openFunnel()
    await page.getByRole('button', { name: '· settled' }).waitFor()
    const home = funnel().getByRole('button', { name: /^Home, / })
    expect(numberOf(await home.textContent())).toBe(total)
    await dashboard.send('late-device', [
      {
        event_id: 'late-1',
        type: 'url_change',
        from: '',
        to: `${installation.ingestUrl}/demo/shop/`,
        elapsed_time: 0,
        timestamp: Date.parse(`${dateBefore(20)}T12:00:00Z`),
      },
    ])
    await expect.poll(async () => (await ask()).total, { timeout: 20_000 }).toBe(total + 1)
    await page.reload()
    await expect.poll(async () => numberOf(await home.textContent()), { timeout: 20_000 }).toBe(total + 1)
    await page.getByRole('button', { name: '· settled' }).click()
    await page.getByText('only events that arrive late can still change it').waitFor()
  })
})

describe('with keys alone', () => {
  it('one gets from the sentence to the people behind a loss, to one of them, and back', async () => {
    const { page } = dashboard
    const { steps } = await ask()
    const worst = steps.slice(1).reduce((a, b) => ((a.rate_from_previous ?? 1) <= (b.rate_from_previous ?? 1) ? a : b))
    await dashboard.open(`overview?range=${rangeText}`)
    const sentence = page.getByRole('region', { name: 'In short' })
    await tabTo(page, sentence.getByRole('link', { name: worst.name, exact: true }).last())
    await page.keyboard.press('Enter')
    const panel = page.getByRole('complementary')
    await panel.getByRole('heading', { name: worst.name }).waitFor()
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
    const drop = funnel().locator('.drop > .opens').first()
    await tabTo(page, drop)
    await page.keyboard.press('Enter')
    await tabTo(page, panel.getByRole('tab', { name: 'People' }))
    await page.keyboard.press('ArrowRight')
    await panel.getByRole('region', { name: 'Next page' }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await tabTo(page, panel.locator('.person').first())
    await page.keyboard.press('Enter')
    await panel.getByRole('list', { name: 'What they did' }).getByRole('listitem').first().waitFor()
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
    expect(await drop.evaluate((button) => button === document.activeElement)).toBe(true)
  })
})

describe('everyone', () => {
  it.each([
    ['overview', 'light', 1_440],
    ['overview', 'dark', 390],
    ['funnels', 'light', 1_440],
    ['funnels/checkout?vs=previous&by=device', 'light', 1_440],
    ['funnels/checkout?stage=2&show=lost', 'dark', 1_440],
    ['funnels/checkout?stage=2&show=lost&tab=differences', 'light', 390],
    ['funnels/checkout?stage=2&show=lost&tab=instead', 'dark', 390],
    ['new-funnel', 'light', 1_440],
    ['connect', 'light', 1_440],
  ] as const)('axe finds nothing on %s, %s, %i px', async (path, colorScheme, width) => {
    const { page } = dashboard
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme })
    await dashboard.open(path)
    await page.locator('.skeleton').first().waitFor({ state: 'detached' })
    await expectUsable(page)
    await page.setViewportSize({ width: 1_440, height: 900 })
    await page.emulateMedia({ colorScheme: 'light' })
  })
})
