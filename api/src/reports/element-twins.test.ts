import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Element, ElementActions, ElementDurations, ElementTwins } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { provision } from '../index.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

const range = 'from=2026-03-26&to=2026-03-30'
const old = "//*[@id='f']/button[1]"
const twin = "//*[@id='f']/div[1]/button[1]"
const admin = { authorization: `Bearer ${keys.admin}` }
let hopper: Installation

const clicks = (date: string, rows: [page: string, target: string, hits: number][]): never =>
  ({
    ...{ table: 'clicks_by_date', app: 'shop', date, from: -1, to: 5 },
    rows: rows.map(([page, target, hits]) => ({ key: [`shop.example${page}`, target], deltas: [hits, 0] })),
  }) as never
const actions = (date: string, rows: [string, number[]][]): never =>
  ({
    ...{ table: 'element_actions_by_date', app: 'shop', date, from: -1, to: 5 },
    rows: rows.map(([xpath, deltas]) => ({ key: [xpath], deltas })),
  }) as never
const durations = (date: string, xpath: string, hits: number): never =>
  ({
    ...{ table: 'element_durations_by_date', app: 'shop', date, from: -1, to: 5 },
    rows: [{ key: [xpath, 'hover-then-clicked', 12], deltas: [hits] }],
  }) as never

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await hopper.fill({
    lane: 0,
    counters: [
      clicks('2026-03-26', [
        ['/cart', old, 4],
        ['/cart', "//*[@id='f']/button[2]", 9],
        ['/home', "//*[@id='f']/p[1]/button[1]", 1],
      ]),
      clicks('2026-03-27', [
        ['/cart', old, 1],
        ['/cart', twin, 2],
        ['/cart', "//*[@id='f']/button[2]", 9],
      ]),
      clicks('2026-03-28', [
        ['/cart', twin, 5],
        ['/cart', "//*[@id='f']/a[1]", 50],
        ['/other', "//*[@id='f']/p[2]/button[1]", 50],
        ['/cart', "//*[@id='g']/button[1]", 50],
        ['/cart', "//*[@id='f']/button[9]", 50],
      ]),
      actions('2026-03-26', [[old, [1, 10, 4, 40, 5]]]),
      actions('2026-03-28', [[twin, [2, 20, 5, 50, 7]]]),
      durations('2026-03-26', old, 4),
      durations('2026-03-28', twin, 5),
    ],
  })
})
afterAll(() => hopper.close())

const at = (path: string, parameters = ''): string => `/api/v1/apps/shop/elements${path}?${range}${parameters}`
const twins = async (parameters = range): Promise<ElementTwins['twins']> =>
  ((await hopper.get(`/api/v1/apps/shop/elements/twins?${parameters}`)).body as ElementTwins).twins
const patch = async (xpath: string, change: Partial<Element>): Promise<{ status: number; body: unknown }> =>
  hopper.send('PATCH', `/api/v1/apps/shop/elements?xpath=${encodeURIComponent(xpath)}`, change, admin)
const row = async (xpath: string): Promise<ElementActions['rows'][number] | undefined> =>
  ((await hopper.get(at('/actions'))).body as ElementActions).rows.find((each) => each.xpath === xpath)

beforeEach(async () => {
  const { elements } = hopper.storage.registry
  for (const { xpath } of await elements.list('shop')) await elements.remove('shop', xpath)
  await elements.put('shop', old, { name: 'Order', xpath: old })
})

test('an element that is not clicked any more has the likest new target of its page as its twin', async () => {
  expect(await twins()).toEqual([
    { xpath: old, name: 'Order', last_clicked: '2026-03-27', twin, appeared: '2026-03-27', hits: 7 },
  ])
})

test('an element that was clicked on the last date, or never, has none', async () => {
  expect(await twins('from=2026-03-26&to=2026-03-27')).toEqual([])
  expect(await twins('from=2026-03-28&to=2026-03-30')).toEqual([])
})

test('a target that is another element, or was said not to be the same, is not proposed', async () => {
  const { elements } = hopper.storage.registry
  await elements.put('shop', twin, { name: 'Other', xpath: twin })
  expect((await twins()).find(({ xpath }) => xpath === old)!.twin).toBe("//*[@id='f']/button[9]")
  await elements.remove('shop', twin)
  expect((await patch(old, { not_twins: [twin, "//*[@id='f']/button[9]"] })).status).toBe(200)
  expect(await twins()).toEqual([])
})

test('a target that a selector of the element finds comes first', async () => {
  await patch(old, { fingerprints: ['#g'] })
  expect((await twins())[0]!.twin).toBe(twin)
  await hopper.fill({ lane: 1, counters: [clicks('2026-03-29', [['/cart', "//*[@id='send']", 1]])] })
  await patch(old, { fingerprints: ['#send'] })
  expect(await twins()).toEqual([
    { xpath: old, name: 'Order', last_clicked: '2026-03-27', twin: "//*[@id='send']", appeared: '2026-03-29', hits: 1 },
  ])
})

test('linked, the element has the counts of both, and of nothing else', async () => {
  expect(await row(old)).toMatchObject({ hover_click: 4, elapsed_click_ms: 40 })
  expect(await row(twin)).toMatchObject({ name: twin, hover_click: 5 })
  expect(await patch(old, { xpath: twin, past_xpaths: [old] })).toMatchObject({
    status: 200,
    body: { name: 'Order', xpath: twin, past_xpaths: [old] },
  })
  const both = { name: 'Order', hover_leave: 3, elapsed_leave_ms: 30, hover_click: 9, elapsed_click_ms: 90, hits: 12 }
  expect(await row(twin)).toMatchObject(both)
  expect(await row(old)).toBeUndefined()
  for (const name of [old, twin]) {
    const answer = await hopper.get(at('/actions', `&xpath=${encodeURIComponent(name)}`))
    expect((answer.body as ElementActions).rows).toMatchObject([{ ...both, xpath: twin }])
    const histogram = await hopper.get(at('/durations', `&xpath=${encodeURIComponent(name)}`))
    expect((histogram.body as ElementDurations).buckets.reduce((sum, { click }) => sum + click, 0)).toBe(9)
  }
  expect(await twins()).toEqual([])
})

test('an XPath belongs to one element, so that nothing is counted twice', async () => {
  const { elements } = hopper.storage.registry
  await elements.put('shop', '//x', { name: 'Other', xpath: '//x', past_xpaths: ['//y'] })
  for (const change of [{ xpath: '//y' }, { past_xpaths: ['//x'] }, { past_xpaths: ['//y'] }])
    expect(await patch(old, change)).toMatchObject({ status: 409, body: { error: { code: 'HOP_CONFLICT' } } })
  for (const past_xpaths of [[old], ['//z', '//z']])
    expect(await patch(old, { past_xpaths })).toMatchObject({ status: 400 })
})

test('selectors that the tracker could not use are refused', async () => {
  for (const fingerprints of [
    ['a[', '#ok'],
    ['p:has(a)'],
    [''],
    ['x'.repeat(301)],
    Array.from({ length: 6 }, () => 'a'),
  ])
    expect(await patch(old, { fingerprints })).toMatchObject({
      status: 400,
      body: { error: { code: 'HOP_PARAM_INVALID' } },
    })
})

test('a linked XPath outlives a provision file that names the old one', async () => {
  await patch(old, { xpath: twin, past_xpaths: [old] })
  const elements = [{ name: 'Renamed', xpath: old }]
  await provision(hopper.storage.registry, {
    organizations: [{ id: 'acme', name: 'Acme', apps: [{ id: 'shop', name: 'Shop', elements }] }],
  })
  expect(await hopper.storage.registry.elements.list('shop')).toEqual([
    { name: 'Renamed', xpath: twin, past_xpaths: [old] },
  ])
})
