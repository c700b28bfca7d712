import {
  reports,
  type CreatedSharedLink,
  type FunnelAnswer,
  type OpenedLink,
  type SharedLinks,
} from '@hopper/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStream } from '../testing/event-source.fixture.ts'
import { NOW, type Installation } from '../testing/installation.fixture.ts'
import {
  admin,
  app,
  codeOf,
  DAY_MS,
  mobile,
  range,
  reader,
  SHARED_DATE,
  SHARED_T0,
  tokenOf,
  view,
  openSharing,
  type Answer,
  type Headers,
  type Sharing,
} from '../testing/shared-links.fixture.ts'

// threads start from the sources, and password hashing is slow on purpose
vi.setConfig({ testTimeout: 60_000 })

const rangeText = 'from=2026-03-24&to=2026-03-30'
const PASSWORD = 'three blue kettles sing'

let sharing: Sharing
let hopper: Installation

beforeAll(async () => {
  sharing = await openSharing()
  ;({ hopper } = sharing)
  await hopper.app.listen(0, '127.0.0.1')
})
afterAll(() => hopper.close())
beforeEach(() => void (hopper.clock = NOW))

/** Counts an event of a date in the tables. */
async function count(date: string): Promise<void> {
  const partition = { table: 'activity_by_date' as const, app: 'shop', date }
  const [position] = await hopper.storage.writer.applied(0, [partition])
  await hopper.fill({
    lane: 0,
    counters: [{ ...partition, from: position!, to: position! + 1, rows: [{ key: [1], deltas: [1, 0] }] }],
  })
}

describe('a shared link', () => {
  it('is shown once, is stored as a hash, and is made by admins only', async () => {
    const link = await sharing.share({ password: PASSWORD })
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
    const headers = await sharing.enter(await sharing.share())
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
    const headers = { ...(await sharing.enter(await sharing.share())), accept: 'text/csv' }
    const csv = await hopper.send('POST', `${app}/funnels/query`, { ...range, funnel: 'checkout' }, headers)
    expect([csv.status, csv.text.split('\r\n')[1]]).toEqual([200, expect.stringContaining('/home,3')])
  })

  it('refuses every other question', async () => {
    const headers = await sharing.enter(
      await sharing.share({ view: { ...view, compare: 'previous', breakdown: 'browser' } }),
    )
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
      { ...ask, from: SHARED_T0, to: SHARED_T0 + 60_000 },
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
    const headers = await sharing.enter(await sharing.share())
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
      ['POST', `${app}/query`, { start: SHARED_DATE, end: SHARED_DATE, data: [{ name: 'a', filters: [] }] }],
      ['POST', '/query', { start: SHARED_DATE, end: SHARED_DATE, data: [{ name: 'a', filters: [] }] }],
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
    const [removed, kept] = [await sharing.share(), await sharing.share()]
    const [first, second] = [await sharing.enter(removed), await sharing.enter(kept)]
    const ask = (headers: Headers): Promise<Answer> => hopper.get(`${app}/funnels`, headers)
    expect((await ask(first)).status).toBe(200)
    expect((await hopper.send('DELETE', `${app}/shared-links/${removed.id}`, undefined, admin)).status).toBe(204)
    expect(codeOf(await ask(first))).toBe('HOP_SHARED_LINK')
    expect(codeOf(await sharing.open(removed))).toBe('HOP_SHARED_LINK')
    expect((await ask(second)).status).toBe(200)
    hopper.clock = kept.ends_at
    expect(codeOf(await ask(second))).toBe('HOP_SHARED_LINK')
    expect(codeOf(await sharing.open(kept))).toBe('HOP_SHARED_LINK')
    expect(codeOf(await hopper.send('DELETE', `${app}/shared-links/${removed.id}`, undefined, admin))).toBe(
      'HOP_NOT_FOUND',
    )
  })

  it('ends a session after 12 hours, and notes when it was last used', async () => {
    const link = await sharing.share({ ends_at: NOW + 10 * DAY_MS })
    const headers = await sharing.enter(link)
    hopper.clock += 11 * 3_600_000
    expect((await hopper.get(`${app}/funnels`, headers)).status).toBe(200)
    const { links } = (await hopper.get(`${app}/shared-links`, admin)).body as SharedLinks
    expect(links.find(({ id }) => id === link.id)).toMatchObject({ used_at: hopper.clock })
    hopper.clock += 2 * 3_600_000
    expect(codeOf(await hopper.get(`${app}/funnels`, headers))).toBe('HOP_SHARED_LINK')
  })

  it('follows its relative range over midnight, and still answers a page that was opened before', async () => {
    const link = await sharing.share({ ends_at: NOW + 10 * DAY_MS })
    // 23:55 in Berlin
    hopper.clock = Date.UTC(2026, 2, 30, 21, 55)
    const headers = await sharing.enter(link)
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

  it('streams that something has changed, without an id, for ranges of the view, until the link ends', async () => {
    const link = await sharing.share()
    const headers = await sharing.enter(link)
    const url = `${await hopper.app.getUrl()}${app}/changes`
    for (const refused of ['', '?from=2026-03-01&to=2026-03-30', `?${rangeText}&lastEventId=x`])
      expect([refused, (await openStream(url + refused, headers)).refusal]).toMatchObject([
        refused,
        { error: { code: 'HOP_SHARED_VIEW' } },
      ])
    const streams = await Promise.all(Array.from({ length: 14 }, () => openStream(`${url}?${rangeText}`, headers)))
    // half of a caller's places, for all readers of the app together
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(12)
    expect(streams.find(({ status }) => status !== 200)?.refusal).toMatchObject({ error: { code: 'HOP_SHARE' } })
    const member = await openStream(`${url}?${rangeText}`, reader)
    const [first, ...others] = streams.filter(({ status }) => status === 200)
    await count('2026-03-01')
    await count(SHARED_DATE)
    const all = { name: 'changes', data: JSON.stringify({ reports }) }
    expect(await first!.events(1)).toEqual([all])
    expect(await member.events(1)).toEqual([all])
    expect([first!.lastId(), member.lastId()]).toEqual(['', expect.stringMatching(/./)])
    for (const stream of [...others, member]) stream.leave()
    await hopper.send('DELETE', `${app}/shared-links/${link.id}`, undefined, admin)
    await expect(first!.events(2)).rejects.toThrow(/terminated|ended/)
  })

  it('cannot be used by another link, a forged session or without naming it', async () => {
    const [one, two] = [await sharing.share(), await sharing.share()]
    const headers = await sharing.enter(one)
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
    const link = await sharing.share({ frame_origins: ['https://wiki.example'] })
    const { status, body, headers } = await sharing.open(link, { in_frame: true })
    expect([status, headers['set-cookie']]).toEqual([200, undefined])
    const { session } = body as OpenedLink
    expect((await hopper.get(`${app}/funnels`, { 'x-hopper-share': session! })).status).toBe(200)
  })
})

describe('a password of a shared link', () => {
  it('is asked for, and guesses are bounded by link and address without locking others out', async () => {
    const [link, other] = [await sharing.share({ password: PASSWORD }), await sharing.share({ password: PASSWORD })]
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
    const link = await sharing.share({ password: PASSWORD })
    const wrong = await hopper.send('POST', `/api/v1/shared-links/${link.id}/open`, { token: 'x', password: PASSWORD })
    expect(codeOf(wrong)).toBe('HOP_SHARED_LINK')
    const unknown = await hopper.send('POST', '/api/v1/shared-links/0123456789abcdef/open', { token: 'x' })
    expect(codeOf(unknown)).toBe('HOP_SHARED_LINK')
  })
})
