import type {
  ArchivedEvent,
  CreatedSharedLink,
  FunnelAnswer,
  OpenedLink,
  RetentionResult,
  SharedLinks,
} from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { keys, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, and password hashing is slow on purpose
vi.setConfig({ testTimeout: 60_000 })

const DATE = '2026-03-28'
/** 10:00 in Berlin */
const T0 = Date.UTC(2026, 2, 28, 9)
const DAY_MS = 86_400_000
const app = '/api/v1/apps/shop'
const admin = { authorization: `Bearer ${keys.admin}` }
const reader = { authorization: `Bearer ${keys.read}` }
const range = { from: '2026-03-24', to: '2026-03-30' }
const mobile = { type: 'eq', key: 'device', value: 'mobile' }
const PASSWORD = 'three blue kettles sing'
const view = { page: 'funnel', funnel: 'checkout', range: '7d', filters: [{ key: 'device', value: 'mobile' }] } as const

type Headers = Record<string, string>
interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, unknown>
}

let hopper: Installation

/** Three people on phones, of whom two go on, and one on a desktop who does not. */
function visits(): ArchivedEvent[] {
  const people: { device: 'mobile' | 'desktop'; pages: string[] }[] = [
    { device: 'mobile', pages: ['/home', '/thanks'] },
    { device: 'mobile', pages: ['/home', '/thanks'] },
    { device: 'mobile', pages: ['/home'] },
    { device: 'desktop', pages: ['/home'] },
  ]
  let position = 0
  return people.flatMap(({ device, pages }, person) =>
    pages.map((page, seq): ArchivedEvent => {
      const timestamp = T0 + seq * 60_000
      const to = `https://shop.example${page}`
      return {
        event: { type: 'url_change', event_id: `${person}-${seq}`, timestamp, seq, from: '', to, elapsed_time: 0 },
        device_id: `device-${person}`,
        user: '',
        context: { device, browser: 'Firefox', os: 'Linux' },
        received_at: timestamp,
        position: position++,
        index: 0,
      }
    }),
  )
}

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const { lanes, archive } = hopper.storage
  const lease = await lanes.acquire(0, 'test')
  const events = visits()
  const cover = { app: 'shop', date: DATE, lane: 0, first_position: 0, last_position: events.length - 1 }
  await archive!.append(lease, encodeChunks(events, cover))
  await lanes.release(lease)
  await hopper.send('POST', `${app}/funnels`, { id: 'other', name: 'Other', stages: [{ name: 'a', url: '/a' }] }, admin)
})
afterAll(() => hopper.close())
beforeEach(() => void (hopper.clock = NOW))

const codeOf = ({ body }: Pick<Answer, 'body'>): string | undefined =>
  (body as { error?: { code: string } } | undefined)?.error?.code

async function share(more: object = {}): Promise<CreatedSharedLink> {
  const body = { name: 'For the board', view, ends_at: hopper.clock + DAY_MS, ...more }
  const created = await hopper.send('POST', `${app}/shared-links`, body, admin)
  expect([created.status, codeOf(created)]).toEqual([201, undefined])
  return created.body
}

const tokenOf = (url: string): string => new URL(url).hash.slice(1)

function open({ id, url }: CreatedSharedLink, more: object = {}): Promise<Answer> {
  return hopper.send('POST', `/api/v1/shared-links/${id}/open`, { token: tokenOf(url), ...more })
}

/** Opens a link like the page of it does, and returns the headers of its calls. */
async function enter(link: CreatedSharedLink, more: object = {}): Promise<Headers> {
  const { status, headers } = await open(link, more)
  expect(status).toBe(200)
  return { cookie: String(headers['set-cookie']).split(';')[0]!, 'x-hopper-share': link.id }
}

describe('a shared link', () => {
  it('is shown once, is stored as a hash, and is made by admins only', async () => {
    const link = await share({ password: PASSWORD })
    expect(link.url).toMatch(new RegExp(`^http://127.0.0.1:8080/share/${link.id}#[\\w-]{43}$`))
    const stored = await hopper.storage.registry.sharedLink(link.id)
    expect(JSON.stringify(stored)).not.toContain(tokenOf(link.url))
    expect(JSON.stringify(stored)).not.toContain(PASSWORD)
    const listed = await hopper.get(`${app}/shared-links`, admin)
    expect((listed.body as SharedLinks).links[0]).toMatchObject({ id: link.id, has_password: true, view })
    expect(listed.text).not.toMatch(/hash|kettles/)
    for (const [method, path] of [
      ['GET', 'shared-links'],
      ['POST', 'shared-links'],
      ['DELETE', `shared-links/${link.id}`],
    ] as const)
      expect(codeOf(await hopper.send(method, `${app}/${path}`, undefined, reader))).toBe('HOP_KEY_POWER')
  })

  it('answers the numbers of its view with its filter, whether the question names it or not', async () => {
    const headers = await enter(await share())
    const expected = await hopper.send(
      'POST',
      `${app}/funnels/query`,
      { ...range, funnel: 'checkout', filters: [mobile] },
      reader,
    )
    expect((expected.body as FunnelAnswer).total).toBe(3)
    for (const filters of [[mobile], undefined]) {
      const answer = await hopper.send(
        'POST',
        `${app}/funnels/query`,
        { ...range, funnel: 'checkout', filters },
        headers,
      )
      expect([answer.status, answer.body]).toEqual([200, expected.body])
    }
    const all = await hopper.send('POST', `${app}/funnels/query`, { ...range, funnel: 'checkout' }, reader)
    expect((all.body as FunnelAnswer).total).toBe(4)
    const { body } = await hopper.get(`${app}/funnels`, headers)
    expect((body as { funnels: { id: string }[] }).funnels.map(({ id }) => id)).toEqual(['checkout'])
    expect((await hopper.get('/api/v1/shared-view', headers)).body).toMatchObject({ view, today: '2026-03-30' })
  })

  it('answers CSV of the same view', async () => {
    const headers = { ...(await enter(await share())), accept: 'text/csv' }
    const csv = await hopper.send('POST', `${app}/funnels/query`, { ...range, funnel: 'checkout' }, headers)
    expect([csv.status, csv.text.split('\r\n')[1]]).toEqual([200, expect.stringContaining('/home,3')])
  })

  it('refuses every other question', async () => {
    const headers = await enter(await share({ view: { ...view, compare: 'previous', breakdown: 'browser' } }))
    const ask = { ...range, funnel: 'checkout' }
    const before = { from: '2026-03-17', to: '2026-03-23' }
    for (const asked of [
      ask,
      { ...ask, ...before },
      { ...ask, breakdown: 'browser', trend: 'day', count_by: 'person' },
    ])
      expect([asked, (await hopper.send('POST', `${app}/funnels/query`, asked, headers)).status]).toEqual([asked, 200])
    const everybody = { type: 'or', filters: [mobile, { type: 'not', filter: mobile }] }
    const tricks: object[] = [
      { ...ask, from: '2026-03-01' },
      { ...ask, to: '2026-04-01' },
      { ...ask, from: '2026-03-25', to: '2026-03-25' },
      { ...ask, from: T0, to: T0 + 60_000 },
      { ...ask, from: range.from, to: before.to },
      { ...ask, funnel: 'other' },
      { ...range, steps: [{ name: 'any event', filters: [] }] },
      { ...ask, steps: [{ name: 'any event', filters: [] }] },
      { ...ask, filters: [] },
      { ...ask, filters: [everybody] },
      { ...ask, filters: [mobile, everybody] },
      { ...ask, filters: [mobile, { type: 'eq', key: 'user_id', value: 'ann' }] },
      { ...ask, filters: [mobile, mobile] },
      { ...ask, breakdown: 'user_id' },
      { ...ask, breakdown: 'trait.email' },
      { ...ask, breakdown: 'device_id' },
      { ...ask, count_by: 'session' },
      { ...ask, order: 'any' },
      { ...ask, window_ms: 1 },
      { ...ask, match: ['user_id'] },
      { ...ask, exclude: [{ filters: [mobile], after: 1, before: 2 }] },
      { ...ask, people: { step: 1, outcome: 'reached', limit: 10 } },
    ]
    for (const trick of tricks) {
      const answer = await hopper.send('POST', `${app}/funnels/query`, trick, headers)
      expect([trick, answer.status, codeOf(answer)]).toEqual([trick, 403, 'HOP_SHARED_VIEW'])
    }
  })

  it('refuses every other call, app and write', async () => {
    const headers = await enter(await share())
    const refused: [string, string, object?][] = [
      ['GET', `${app}/traffic?from=${range.from}&to=${range.to}`],
      ['GET', `${app}/pages/views?from=${range.from}&to=${range.to}`],
      ['GET', `${app}/clicks?from=${range.from}&to=${range.to}`],
      ['GET', `${app}/elements`],
      ['GET', `${app}/funnels/checkout`],
      ['GET', `${app}/journeys?from=${range.from}&to=${range.to}`],
      ['GET', `${app}/persons`],
      ['GET', `${app}/events`],
      ['GET', `${app}/export?format=ndjson`],
      ['GET', `${app}/changes`],
      ['GET', `${app}/live`],
      ['GET', `${app}/keys?prefix=`],
      ['GET', `${app}/shared-links`],
      ['GET', '/api/v1/apps'],
      ['GET', '/api/v1/status'],
      ['GET', '/api/v1/me'],
      ['GET', '/api/v1/apps/blog/funnels'],
      ['GET', '/api/v1/apps/foreign/funnels'],
      ['GET', '/api/v1/apps/nowhere/funnels'],
      ['POST', `${app}/people/query`, { ...range, funnel: 'checkout', step: 1, outcome: 'reached' }],
      ['POST', `${app}/journeys/people`, { ...range, depth: 2, node: '0:shop.example/home' }],
      ['POST', `${app}/instead/query`, { ...range, funnel: 'checkout', step: 1, outcome: 'reached' }],
      ['POST', `${app}/hesitation/query`, { ...range, element: '//b' }],
      ['POST', `${app}/query`, { start: DATE, end: DATE, data: [{ name: 'a', filters: [] }] }],
      ['POST', '/query', { start: DATE, end: DATE, data: [{ name: 'a', filters: [] }] }],
      ['POST', '/mcp', {}],
      ['POST', `${app}/funnels`, { id: 'x', name: 'X', stages: [{ name: 'a', url: '/a' }] }],
      ['DELETE', `${app}/funnels/checkout`],
      ['PATCH', app, { name: 'Mine' }],
    ]
    for (const [method, url, body] of refused) {
      const answer = await hopper.send(method as 'GET', url, body, headers)
      expect([method, url, answer.status, codeOf(answer)]).toEqual([method, url, 403, 'HOP_SHARED_VIEW'])
    }
  })

  it('ends at once when it is removed, and by itself at its end', async () => {
    const [removed, kept] = [await share(), await share()]
    const [first, second] = [await enter(removed), await enter(kept)]
    const ask = (headers: Headers): Promise<Answer> => hopper.get(`${app}/funnels`, headers)
    expect((await ask(first)).status).toBe(200)
    expect((await hopper.send('DELETE', `${app}/shared-links/${removed.id}`, undefined, admin)).status).toBe(204)
    expect(codeOf(await ask(first))).toBe('HOP_SHARED_LINK')
    expect(codeOf(await open(removed))).toBe('HOP_SHARED_LINK')
    expect((await ask(second)).status).toBe(200)
    hopper.clock = kept.ends_at
    expect(codeOf(await ask(second))).toBe('HOP_SHARED_LINK')
    expect(codeOf(await open(kept))).toBe('HOP_SHARED_LINK')
    expect(codeOf(await hopper.send('DELETE', `${app}/shared-links/${removed.id}`, undefined, admin))).toBe(
      'HOP_NOT_FOUND',
    )
  })

  it('ends a session after 12 hours, and notes when it was last used', async () => {
    const link = await share({ ends_at: NOW + 10 * DAY_MS })
    const headers = await enter(link)
    hopper.clock += 11 * 3_600_000
    expect((await hopper.get(`${app}/funnels`, headers)).status).toBe(200)
    const { links } = (await hopper.get(`${app}/shared-links`, admin)).body as SharedLinks
    expect(links.find(({ id }) => id === link.id)).toMatchObject({ used_at: hopper.clock })
    hopper.clock += 2 * 3_600_000
    expect(codeOf(await hopper.get(`${app}/funnels`, headers))).toBe('HOP_SHARED_LINK')
  })

  it('follows its relative range over midnight, and still answers a page that was opened before', async () => {
    const link = await share({ ends_at: NOW + 10 * DAY_MS })
    // 23:55 in Berlin
    hopper.clock = Date.UTC(2026, 2, 30, 21, 55)
    const headers = await enter(link)
    const ask = async (from: string, to: string): Promise<number> =>
      (await hopper.send('POST', `${app}/funnels/query`, { from, to, funnel: 'checkout' }, headers)).status
    expect(await ask('2026-03-24', '2026-03-30')).toBe(200)
    expect(await ask('2026-03-25', '2026-03-31')).toBe(403)
    hopper.clock += 6 * 60_000
    expect(await ask('2026-03-24', '2026-03-30')).toBe(200)
    expect(await ask('2026-03-25', '2026-03-31')).toBe(200)
    hopper.clock += 10 * 60_000
    expect(await ask('2026-03-24', '2026-03-30')).toBe(403)
  })

  it('cannot be used by another link, a forged session or without naming it', async () => {
    const [one, two] = [await share(), await share()]
    const headers = await enter(one)
    const session = headers['cookie']!.split('=')[1]!
    for (const forged of [
      { cookie: headers['cookie']! },
      { 'x-hopper-share': one.id },
      { 'x-hopper-share': two.id, cookie: `hopper_share_${two.id}=${session}` },
      { 'x-hopper-share': `${two.id}.${session}` },
      { 'x-hopper-share': `${one.id}.${session.slice(0, -2)}xx` },
      { 'x-hopper-share': '' },
      { 'x-hopper-share': '__proto__' },
    ]) {
      const answer = await hopper.get(`${app}/funnels`, forged)
      expect([forged, answer.status]).toEqual([forged, 401])
    }
    expect((await hopper.get(`${app}/funnels`, { 'x-hopper-share': `${one.id}.${session}` })).status).toBe(200)
  })

  it('gives a session without a cookie to a frame', async () => {
    const link = await share({ frame_origins: ['https://wiki.example'] })
    const { status, body, headers } = await open(link, { in_frame: true })
    expect([status, headers['set-cookie']]).toEqual([200, undefined])
    const { session } = body as OpenedLink
    expect((await hopper.get(`${app}/funnels`, { 'x-hopper-share': session! })).status).toBe(200)
  })
})

describe('a password of a shared link', () => {
  it('is asked for, and guesses are bounded by link and address without locking others out', async () => {
    const [link, other] = [await share({ password: PASSWORD }), await share({ password: PASSWORD })]
    const from = (address: string, { id, url }: CreatedSharedLink, password?: string): Promise<string> =>
      hopper.app
        .inject({
          method: 'POST',
          url: `/api/v1/shared-links/${id}/open`,
          payload: { token: tokenOf(url), ...(password === undefined ? {} : { password }) },
          remoteAddress: address,
        })
        .then((answer) => codeOf({ body: answer.json() }) ?? 'opened')
    expect(await from('192.0.2.1', link)).toBe('HOP_SHARED_PASSWORD')
    expect(await from('192.0.2.1', link, PASSWORD)).toBe('opened')
    for (let guess = 0; guess < 10; guess++)
      expect(await from('192.0.2.1', link, `a wrong password ${guess}`)).toBe('HOP_SHARED_PASSWORD')
    expect(await from('192.0.2.1', link, PASSWORD)).toBe('HOP_RATE')
    expect(await from('192.0.2.1', other, PASSWORD)).toBe('opened')
    expect(await from('192.0.2.2', link, PASSWORD)).toBe('opened')
  }, 240_000)

  it('is of no use without the token', async () => {
    const link = await share({ password: PASSWORD })
    const wrong = await hopper.send('POST', `/api/v1/shared-links/${link.id}/open`, { token: 'x', password: PASSWORD })
    expect(codeOf(wrong)).toBe('HOP_SHARED_LINK')
    const unknown = await hopper.send('POST', '/api/v1/shared-links/0123456789abcdef/open', { token: 'x' })
    expect(codeOf(unknown)).toBe('HOP_SHARED_LINK')
  })
})

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
    expect(await calls(await enter(await share({ view: overview })))).toEqual([
      200, 200, 200, 200, 200, 200, 403, 403, 403,
    ])
    const filtered = { ...overview, filters: [{ key: 'device', value: 'mobile' }] }
    const headers = await enter(await share({ view: filtered }))
    expect(await calls(headers)).toEqual([403, 403, 403, 200, 200, 200, 403, 403, 403])
    const people = await hopper.send('POST', `${app}/funnels/query`, anybody, headers)
    expect((people.body as FunnelAnswer).total).toBe(3)
  })

  it('of journeys answer exactly theirs', async () => {
    const groups = ['/th*']
    const journeys = { page: 'journeys', range: '7d', filters: view.filters, depth: 3, groups }
    const headers = await enter(await share({ view: journeys }))
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

  it('of elements answer theirs, and show of an element its name only', async () => {
    const elements = { page: 'elements', funnel: 'checkout', range: '7d', filters: view.filters }
    const headers = await enter(await share({ view: elements }))
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
    const headers = await enter(await share({ view: question }))
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
    const headers = await enter(await share({ view: { ...retention, each: 'day' } }))
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

  it('that make no sense, or are about somebody in particular, are refused with every fault', async () => {
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
      ...questionFaults.map(([more, at]): [object, RegExp] => [
        { view: { page: 'explore', range: '7d', ...more } },
        at,
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
