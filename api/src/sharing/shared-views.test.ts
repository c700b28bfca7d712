import type { FunnelAnswer, RetentionResult } from '@hopper/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { NOW, type Installation } from '../testing/installation.fixture.ts'
import {
  admin,
  app,
  codeOf,
  DAY_MS,
  mobile,
  range,
  reader,
  view,
  openSharing,
  type Answer,
  type Headers,
  type Sharing,
} from '../testing/shared-links.fixture.ts'

// threads start from the sources, and password hashing is slow on purpose
vi.setConfig({ testTimeout: 60_000 })

let sharing: Sharing
let hopper: Installation

beforeAll(async () => {
  sharing = await openSharing()
  ;({ hopper } = sharing)
})
afterAll(() => hopper.close())
beforeEach(() => void (hopper.clock = NOW))

describe('views', () => {
  const path = (call: string, more: object = {}): string =>
    `${app}/${call}?${new URLSearchParams({ ...range, ...more }).toString()}`

  it('of an overview answer its cards, and leave out counted reports when there are filters', async () => {
    const overview = { page: 'overview', funnel: 'checkout', range: '7d' }
    const anybody = { ...range, steps: [{ name: 'any event', filters: [] }], window_ms: 1 }
    const calls = async (headers: Headers): Promise<number[]> => {
      const answers = [
        await hopper.get(path('traffic', { by: 'day', count_by: 'person' }), headers),
        await hopper.get(path('pages/views'), headers),
        await hopper.get(path('clicks'), headers),
        await hopper.send('POST', `${app}/funnels/query`, { ...anybody, breakdown: 'device' }, headers),
        await hopper.send('POST', `${app}/funnels/query`, { ...anybody, count_by: 'session' }, headers),
        await hopper.send(
          'POST',
          `${app}/funnels/query`,
          { ...range, funnel: 'checkout', breakdown: 'device' },
          headers,
        ),
        await hopper.send('POST', `${app}/funnels/query`, { ...anybody, breakdown: 'user_id' }, headers),
        await hopper.send('POST', `${app}/funnels/query`, { ...range, funnel: 'other' }, headers),
        await hopper.send(
          'POST',
          `${app}/funnels/query`,
          { ...anybody, steps: [{ name: 'any event', filters: [{ type: 'eq', key: 'user_id', value: 'ann' }] }] },
          headers,
        ),
      ]
      return answers.map(({ status }) => status)
    }
    expect(await calls(await sharing.enter(await sharing.share({ view: overview })))).toEqual([
      200, 200, 200, 200, 200, 200, 403, 403, 403,
    ])
    const filtered = { ...overview, filters: [{ key: 'device', value: 'mobile' }] }
    const headers = await sharing.enter(await sharing.share({ view: filtered }))
    expect(await calls(headers)).toEqual([403, 403, 403, 200, 200, 200, 403, 403, 403])
    const people = await hopper.send('POST', `${app}/funnels/query`, anybody, headers)
    expect((people.body as FunnelAnswer).total).toBe(3)
  })

  it('of journeys answer exactly their journeys', async () => {
    const groups = ['/th*']
    const journeys = { page: 'journeys', range: '7d', filters: view.filters, depth: 3, groups }
    const headers = await sharing.enter(await sharing.share({ view: journeys }))
    const asked = { depth: '3', groups: JSON.stringify(groups), filters: JSON.stringify([mobile]) }
    const expected = await hopper.get(path('journeys', asked), reader)
    expect(expected.status).toBe(200)
    expect((await hopper.get(path('journeys', asked), headers)).body).toEqual(expected.body)
    expect((await hopper.get(path('journeys'), headers)).body).toEqual(expected.body)
    for (const more of [
      { key: 'user_id' },
      { depth: '4' },
      { start: 'shop.example/home' },
      { filters: '[]' },
      { filters: 'no JSON' },
      { groups: '["*"]' },
      { count_by: 'session' },
      { from: '2026-03-01' },
    ])
      expect([more, codeOf(await hopper.get(path('journeys', more), headers))]).toEqual([more, 'HOP_SHARED_VIEW'])
  })

  it('of elements answer their reports, and show only the names of elements', async () => {
    const elements = { page: 'elements', funnel: 'checkout', range: '7d', filters: view.filters }
    const headers = await sharing.enter(await sharing.share({ view: elements }))
    const ask = (call: string, body: object): Promise<Answer> =>
      hopper.send('POST', `${app}/${call}`, { ...range, funnel: 'checkout', ...body }, headers)
    expect((await ask('elements/query', { trend: 'day' })).status).toBe(200)
    expect((await ask('hesitation/query', { element: '//b' })).status).toBe(200)
    for (const body of [
      {},
      { element: '//b', step: 2 },
      { element: '//b', pointer: 'touch' },
      { element: '//b', filters: [] },
    ])
      expect([body, codeOf(await ask('hesitation/query', body))]).toEqual([body, 'HOP_SHARED_VIEW'])
    expect((await hopper.get(`${app}/elements`, headers)).body).toEqual({
      elements: [
        { name: 'Add to cart', xpath: "//*[@id='add']" },
        { name: 'Never seen', xpath: '//b' },
      ],
    })
  })

  it('of a question answer its count and its breakdown, with its event and filters, and no other', async () => {
    const event = { key: 'page', value: 'shop.example/home' }
    const question = { page: 'explore', range: '7d', filters: view.filters, event, breakdown: 'browser' }
    const headers = await sharing.enter(await sharing.share({ view: question }))
    const home = { type: 'eq', ...event }
    const asked = { ...range, steps: [{ name: 'page', filters: [home] }], window_ms: 1 }
    const ask = (body: object, as: Headers): Promise<Answer> => hopper.send('POST', `${app}/funnels/query`, body, as)
    const expected = await ask({ ...asked, filters: [mobile], trend: 'day', breakdown: 'browser' }, reader)
    expect((expected.body as FunnelAnswer).total).toBe(3)
    const { steps: _, ...bare } = asked
    for (const body of [asked, { ...asked, filters: [mobile] }, bare]) {
      const { body: answer, status } = await ask({ ...body, trend: 'day', breakdown: 'browser' }, headers)
      expect([body, status, (answer as FunnelAnswer).total]).toEqual([body, 200, 3])
      expect((answer as FunnelAnswer).breakdown?.map(({ value, total }) => [value, total])).toEqual([['Firefox', 3]])
    }
    const one = asked.steps[0]!
    const tricks: object[] = [
      { ...asked, filters: [] },
      { ...asked, filters: [mobile, { type: 'eq', key: 'browser', value: 'Firefox' }] },
      { ...asked, steps: [{ name: 'all', filters: [] }] },
      { ...asked, steps: [{ name: 'ann', filters: [home, { type: 'eq', key: 'user_id', value: 'ann' }] }] },
      { ...asked, steps: [one, one] },
      { ...asked, breakdown: 'device' },
      { ...asked, breakdown: 'user_id' },
      { ...asked, window_ms: DAY_MS },
      { ...asked, funnel: 'checkout' },
      { ...range, funnel: 'checkout' },
      { ...asked, from: '2026-03-17', to: '2026-03-23' },
      { ...asked, count_by: 'session' },
      { ...asked, people: { step: 1, outcome: 'reached', limit: 10 } },
    ]
    for (const trick of tricks) expect([trick, codeOf(await ask(trick, headers))]).toEqual([trick, 'HOP_SHARED_VIEW'])
    const retention = { ...range, first: [home, mobile], again: [home, mobile], by: 'week' }
    const back = await hopper.send('POST', `${app}/retention/query`, retention, headers)
    expect(codeOf(back)).toBe('HOP_SHARED_VIEW')
  })

  it('of retention answer who comes back with its events and filters, and no other', async () => {
    const [event, again] = ['home', 'thanks'].map((page) => ({ key: 'page', value: `shop.example/${page}` }))
    const retention = { page: 'explore', range: '7d', filters: view.filters, event, again, shown_as: 'retention' }
    const headers = await sharing.enter(await sharing.share({ view: { ...retention, each: 'day' } }))
    const [home, thanks] = [event, again].map((one) => ({ type: 'eq', ...one }))
    const asked = { ...range, first: [home, mobile], again: [mobile, thanks], by: 'day' }
    const ask = (body: object, as: Headers): Promise<Answer> => hopper.send('POST', `${app}/retention/query`, body, as)
    const expected = await ask(asked, reader)
    const { cohorts } = expected.body as RetentionResult
    expect(cohorts.map(({ size, again: [same] }) => [size, same])).toContainEqual([3, 2])
    const { status, body } = await ask(asked, headers)
    expect([status, body]).toEqual([200, expected.body])
    for (const trick of [
      { ...asked, first: [home] },
      { ...asked, first: [] },
      { ...asked, first: [home, mobile, { type: 'eq', key: 'user_id', value: 'ann' }] },
      { ...asked, again: [home, mobile] },
      { ...asked, again: [thanks] },
      { ...asked, by: 'week' },
      { ...asked, count_by: 'session' },
      { ...asked, from: '2026-03-01' },
    ])
      expect([trick, codeOf(await ask(trick, headers))]).toEqual([trick, 'HOP_SHARED_VIEW'])
    const count = { ...range, steps: [{ name: 'page', filters: [home] }], window_ms: 1 }
    expect(codeOf(await hopper.send('POST', `${app}/funnels/query`, count, headers))).toBe('HOP_SHARED_VIEW')
  })

  it('that make no sense, or are about one person, are refused with every fault', async () => {
    const create = async (more: object): Promise<string> => {
      const body = { name: 'x', view, ends_at: NOW + DAY_MS, ...more }
      const answer = await hopper.send('POST', `${app}/shared-links`, body, admin)
      const { error } = answer.body as { error?: { code: string; message: string } }
      return error ? `${error.code} ${error.message}` : String(answer.status)
    }
    const questionFaults: [object, RegExp][] = [
      [{ breakdown: 'user_id' }, /breakdown/],
      [{ breakdown: 'device', shown_as: 'line' }, /breakdown.*table or bar/],
      [{ breakdown: 'device', shown_as: 'retention' }, /breakdown/],
      [{ event: { key: 'user_id', value: 'ann' } }, /event\.key/],
      [{ again: { key: 'trait.email', value: 'a@b.example' }, shown_as: 'retention' }, /again\.key/],
      [{ again: { key: 'type', value: 'click' } }, /view\.again/],
      [{ each: 'day', shown_as: 'line' }, /view\.each/],
      [{ shown_as: 'events' }, /shown_as/],
      [{ compare: 'previous' }, /view\.compare/],
      [{ funnel: 'checkout' }, /view\.funnel/],
    ]
    const faults: [object, RegExp][] = [
      [{ view: { ...view, filters: [{ key: 'user_id', value: 'ann' }] } }, /filters\[0\]\.key/],
      [{ view: { ...view, filters: [{ key: 'data.user_id', value: 'ann' }] } }, /filters\[0\]\.key/],
      [{ view: { ...view, filters: [{ key: 'trait.email', value: 'a@b.example' }] } }, /filters\[0\]\.key/],
      [{ view: { ...view, breakdown: 'user_id' } }, /breakdown/],
      [{ view: { ...view, page: 'people' } }, /page/],
      [{ view: { ...view, funnel: 'nowhere' } }, /HOP_FUNNEL_UNKNOWN/],
      [{ view: { page: 'funnel', range: '7d' } }, /view\.funnel/],
      [{ view: { ...view, range: '8d' } }, /view\.range/],
      [{ view: { ...view, range: '2020-01-01..2026-01-01' } }, /view\.range/],
      [{ view: { ...view, compare: 'never' } }, /view\.compare/],
      [{ view: { ...view, start: '/a' } }, /view\.start/],
      [{ view: { ...view, event: { key: 'type', value: 'click' } } }, /view\.event/],
      ...questionFaults.map(([more, fault]): [object, RegExp] => [
        { view: { page: 'explore', range: '7d', ...more } },
        fault,
      ]),
      [{ ends_at: NOW }, /ends_at/],
      [{ ends_at: NOW + 367 * DAY_MS }, /ends_at/],
      [{ password: 'short' }, /password/],
      [{ password: 'password123' }, /password/],
      ...[
        '*',
        'https://*.example',
        "https://a.example; script-src 'unsafe-inline'",
        'https://a.example/',
        'null',
        "'self'",
      ].map((origin): [object, RegExp] => [{ frame_origins: [origin] }, /frame_origins/]),
    ]
    for (const [more, expected] of faults) expect(await create(more)).toMatch(expected)
    expect(await create({ name: '<script>alert(1)</script>' })).toBe('201')
  })
})
