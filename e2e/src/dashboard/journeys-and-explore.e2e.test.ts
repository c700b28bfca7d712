import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { FunnelAnswer, FunnelQuery, JourneyPeopleAnswer, JourneyResult } from '@hopper/contracts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { numberOf, openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { idsOfPeople } from './people-list.fixture.ts'
import { expectUsable } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const DAY_MS = 86_400_000
/** days that nobody adds anything to */
const range = { from: dateBefore(12), to: dateBefore(2) }
const rangeText = `${range.from}..${range.to}`
const CART = '/demo*/cart'
const run = promisify(execFile)
let dashboard: OpenedDashboard

beforeAll(async () => {
  dashboard = await openDashboard({ days: 12, visitors: 400 })
}, 400_000)
afterAll(() => dashboard?.close())
afterEach(() => expect(dashboard.complaints).toEqual([]))

function dateBefore(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)
}

/** the groups of pages that the demo shop's stages are */
const groups = ['/demo*/products/*', '/demo*/products', '/demo*/checkout', '/demo*/thanks', CART, '/demo*/']

/** Asks the API with these groups. */
function journeys(parameters: Record<string, string>): Promise<JourneyResult> {
  const query = new URLSearchParams({ ...range, groups: JSON.stringify(groups), ...parameters })
  return dashboard.get<JourneyResult>(`journeys?${query.toString()}`)
}

async function openJourneys(more = ''): Promise<void> {
  await dashboard.open(`journeys?range=${rangeText}${more}`)
  await dashboard.page.locator('.journey-node').first().waitFor()
}

describe('journeys', () => {
  it('forward from a place have the numbers of the API, in the picture and in the list', async () => {
    const { page } = dashboard
    const { nodes, links } = await journeys({ start: CART, depth: '3' })
    await openJourneys(`&start=${CART}&depth=3`)
    const shown = await page
      .locator('.journey-node')
      .evaluateAll((all) => all.map((one) => [one.getAttribute('data-node'), one.getAttribute('aria-label')!]))
    expect(shown.map(([id]) => id)).toEqual(nodes.map(({ id }) => id))
    for (const [index, { users }] of nodes.entries())
      expect(shown[index]![1]).toContain(` ${users.toLocaleString('en')} p`)
    expect(shown.some(([, label]) => label!.includes('left the site'))).toBe(true)
    const all = page.getByRole('button', { name: /^Show all/ })
    if ((await all.count()) > 0) await all.click()
    const rows = await page
      .locator('.journey-list td:nth-child(3) .opens')
      .evaluateAll((all) => all.map((one) => [one.getAttribute('data-opens')!, one.textContent]))
    const listed = rows.map(([id, count]) => [id, numberOf(count!)])
    expect(listed.sort()).toEqual(links.map(({ from, to, users }) => [JSON.stringify([from, to]), users]).sort())
  })

  it.each([
    ['a link', '.journey-list td:nth-child(3) .opens'],
    ['a place', '.journey-list td:nth-child(4) .opens'],
  ])('%s opens its people, those of the API, exactly as many as it says', async (_, opener) => {
    const { page } = dashboard
    await openJourneys(`&start=${CART}&depth=3`)
    const button = page.locator(opener).first()
    const count = numberOf(await button.textContent())
    const opens = (await button.getAttribute('data-opens'))!
    const [from, to] = opens.startsWith('[') ? (JSON.parse(opens) as string[]) : []
    await button.click()
    const panel = page.getByRole('complementary')
    expect(numberOf(await panel.locator('.panel-count').textContent())).toBe(count)
    const part = from === undefined ? { node: opens } : { link: { from, to } }
    const asked = { ...range, start: CART, depth: 3, groups, ...part, limit: 1_000 }
    const { total, people } = await dashboard.post<JourneyPeopleAnswer>('journeys/people', asked)
    expect([total, people.length, new Set(people.map(({ id }) => id)).size]).toEqual([count, count, count])
    expect(people.map(({ entered_at: at }) => at)).toEqual(people.map(({ entered_at: at }) => at).sort((a, b) => b - a))
    expect(await idsOfPeople(panel)).toEqual(people.map(({ id }) => id))

    const saved = page.waitForEvent('download')
    await panel.getByRole('button', { name: 'CSV of all' }).click()
    const lines = (await readFile(await (await saved).path(), 'utf8')).trimEnd().split('\r\n')
    expect(lines[0]).toBe('id,name,device,source,country,entered_at,last_at,last_page')
    expect(lines).toHaveLength(count + 1)
    await page.reload()
    await panel.locator('.person').first().click()
    await panel.getByText('Came here').waitFor()
    await panel.getByRole('list', { name: 'What they did' }).getByRole('listitem').first().waitFor()
    await expectUsable(page)
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  })

  it('the keyboard moves from place to place, and makes one the start', async () => {
    const { page } = dashboard
    await openJourneys()
    const focused = (): Promise<string | null> =>
      page.evaluate(() => document.activeElement?.getAttribute('data-node') ?? null)
    await page.locator('.journey-node[tabindex="0"]').focus()
    expect(await focused()).toBe('0:/demo*/')
    await page.keyboard.press('ArrowRight')
    expect(await focused()).toMatch(/^1:/)
    await page.keyboard.press('ArrowLeft')
    expect(await focused()).toBe('0:/demo*/')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toMatch(/^1:/)
    await page.keyboard.press('ArrowUp')
    const place = (await focused())!.slice('1:'.length)
    await page.keyboard.press('Enter')
    await page.waitForFunction((start) => new URL(location.href).searchParams.get('start') === start, place)
    await page.locator(`.journey-node[data-node="0:${place}"]`).waitFor()
    await page.getByRole('button', { name: 'To', exact: true }).click()
    await page.waitForURL(/[?&]end=/)
    await page.locator('.journey-list').getByText('came to the site').first().waitFor()
  })

  it('a way becomes a funnel with its stages', async () => {
    const { page } = dashboard
    await openJourneys(`&start=/demo*/products/*&depth=3`)
    await page
      .getByRole('button', { name: /^Product to Cart: / })
      .first()
      .click()
    await page.getByRole('link', { name: 'Make a funnel of this way' }).click()
    await page.getByLabel('Name of stage 2').waitFor()
    expect(await page.getByLabel('Page of stage 1').inputValue()).toBe('/demo*/products/*')
    expect(await page.getByLabel('Page of stage 2').inputValue()).toBe(CART)
    expect(await page.getByLabel('Name of stage 2').inputValue()).toBe('Cart')
  })

  it('a place that nobody visited is reported, with a way out', async () => {
    const { page } = dashboard
    await dashboard.open(`journeys?range=${rangeText}&start=/nowhere`)
    await page.getByText('Nobody was at /nowhere').waitFor()
    await page.getByRole('button', { name: 'Show journeys from the first place' }).click()
    await page.locator('.journey-node').first().waitFor()
  })
})

describe('a question of one\u2019s own', () => {
  it('is put together from what was seen, and the call beside it gives the same answer', async () => {
    const { page } = dashboard
    await dashboard.open(`explore?range=${rangeText}`)
    await page.getByRole('button', { name: 'What: Any event' }).click()
    await page.getByLabel('Search events').fill('click')
    await page.getByRole('button', { name: /^Clicks/ }).click()
    await page.waitForURL('**what=type:click*')
    await page.getByRole('button', { name: 'Break down: Nothing' }).click()
    await page.getByLabel('Search properties').fill('dev')
    await page.getByRole('button', { name: 'Device', exact: true }).click()
    await page.waitForURL('**by=device*')
    const choices = page.getByRole('region', { name: /^Ask your own question/ })
    await choices.getByRole('button', { name: 'Add a filter' }).click()
    await page.getByLabel('Search properties').fill('brow')
    await page.getByRole('button', { name: 'Browser', exact: true }).click()
    await page.getByLabel('Search values').fill('Chr')
    await page.getByRole('button', { name: /^Chrome/ }).click()
    await page.waitForURL('**f=browser:Chrome*')
    const table = page.getByRole('region', { name: 'Break down' })
    await table.locator('tbody tr').first().waitFor()
    await page.getByText('The same question to the API').click()
    const curl = (await page.getByRole('region', { name: 'Call' }).textContent())!
    const body = JSON.parse(/-d '(.*)'/s.exec(curl)![1]!) as FunnelQuery
    const shell = ['-c', curl.replace('READ_KEY', dashboard.readKey)]
    const answer = JSON.parse((await run('sh', shell)).stdout) as FunnelAnswer
    expect(answer.total).toBeGreaterThan(0)
    const shown = JSON.parse((await page.getByRole('region', { name: 'Answer as JSON' }).textContent())!) as object
    const { complete_to } = (shown as typeof answer).meta
    expect(shown).toEqual({ ...answer, meta: { ...answer.meta, complete_to } })
    expect(body.steps![0]!.filters).toEqual([{ type: 'eq', key: 'type', value: 'click' }])
    const rows = await table
      .locator('tbody tr')
      .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)))
    expect(rows.map(([value, count]) => [value, numberOf(count!)])).toEqual(
      answer.breakdown!.map(({ value, total }) => [value, total]),
    )
    expect(numberOf(await page.locator('.explore-total').textContent())).toBe(answer.total)
    for (const [form, found] of [
      ['Bars', '.explore-bars li'],
      ['Line', '.line-chart .line'],
    ] as const) {
      await page.getByRole('button', { name: form, exact: true }).click()
      await page.locator(found).nth(1).waitFor()
      expect(await page.locator(found).count()).toBe(answer.breakdown!.length)
    }
  })

  it('shows the events with the columns that were chosen', async () => {
    const { page } = dashboard
    await dashboard.open(`explore?range=${rangeText}&what=type:click&as=events`)
    const headings = page.getByRole('region', { name: 'Events, one per row' }).locator('th')
    await headings.first().waitFor()
    await page.getByRole('button', { name: 'Columns' }).click()
    await page.getByLabel('Search properties').fill('elapsed')
    await page.getByRole('button', { name: 'elapsed_time', exact: true }).click()
    await page.keyboard.press('Escape')
    await page.waitForURL('**cols=elapsed_time*')
    await headings.getByText('elapsed_time').waitFor()
    const types = await page.locator('tbody td:nth-child(2)').allTextContents()
    expect(new Set(types)).toEqual(new Set(['click']))
  })

  it('shows who comes back, with the sizes of the API', async () => {
    const { page } = dashboard
    await dashboard.open(`explore?range=${rangeText}&as=retention&each=day`)
    await page.getByRole('region', { name: 'Who comes back' }).locator('tbody tr').first().waitFor()
    const sizes = (await page.locator('.retention tbody tr td:nth-child(2)').allTextContents()).map(numberOf)
    const { total } = await dashboard.ask({ ...range, steps: [{ name: 'any', filters: [] }], window_ms: 1 })
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(total)
  })

  it('that takes long shows its progress, and Stop ends it, on the server as well', async () => {
    const { page, installation } = dashboard
    const running = async (): Promise<number> => {
      const metrics = await (await fetch(`${installation.apiUrl}/metrics`)).text()
      return Number(/hopper_api_queries\{state="running"\} (\d+)/.exec(metrics)![1])
    }
    for (const device of ['long 1', 'long 2'])
      await dashboard.send(
        device,
        Array.from({ length: 100 }, (_, number) => ({
          type: 'custom',
          name: 'note',
          timestamp: Date.now() - number * 10_000,
          data: { text: `${'a'.repeat(400)} ${number}` },
        })),
      )
    const devices = async (): Promise<number> => {
      const steps = [{ name: 'long', filters: [{ type: 'all' as const, key: 'text' }] }]
      return (await dashboard.ask({ from: dateBefore(6), to: dateBefore(0), steps, window_ms: 1 })).total
    }
    await expect.poll(devices, { timeout: 60_000 }).toBe(2)
    await expect.poll(running, { timeout: 30_000 }).toBe(0)
    // each text takes half a second, so only the time limit would end it otherwise
    const filters = Array.from({ length: 50 }, (_, n) => ({
      type: 'regex',
      key: 'text',
      value: `(a{1,40}){1,20}[xyz]{${n + 1}}$`,
    }))
    await page.route('**/funnels/query', (route) => {
      const asked = route.request().postDataJSON() as FunnelQuery
      return route.continue({ postData: JSON.stringify({ ...asked, filters: [{ type: 'or', filters }] }) })
    })
    const failed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/funnels/query'))
    await dashboard.open('explore?range=7d')
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    await expect.poll(running, { timeout: 15_000 }).toBe(1)
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped before the answer was complete.').waitFor()
    await failed
    await expect.poll(running, { timeout: 10_000 }).toBe(0)
    await page.unroute('**/funnels/query')
    await page.getByRole('button', { name: 'Ask again' }).click()
    await page.locator('.explore-total').waitFor()
  })
})

describe('everyone', () => {
  it.each([
    ['journeys', 'light', 1_440],
    ['journeys?depth=3', 'dark', 390],
    ['journeys?start=/demo*/cart&depth=3&link=0:/demo*/cart&link=1/exit', 'dark', 1_440],
    ['explore?by=device&as=line', 'light', 1_440],
    ['explore?by=device', 'dark', 390],
    ['explore?as=events', 'light', 390],
    ['explore?as=retention', 'dark', 1_440],
  ] as const)(
    'axe finds nothing on %s, %s, %i px, and nothing is wider than the window',
    async (path, colorScheme, width) => {
      const { page } = dashboard
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      await dashboard.open(path)
      await expectUsable(page)
      await page.setViewportSize({ width: 1_440, height: 900 })
      await page.emulateMedia({ colorScheme: 'light' })
    },
  )
})
