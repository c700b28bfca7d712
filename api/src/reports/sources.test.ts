import type { ArchivedEvent, Context, Event } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { LossAnswer, SourcesAnswer } from '../answers/report-parameters.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
const DATE = '2026-03-28'
/** 10:00 in Berlin */
const T0 = Date.UTC(2026, 2, 28, 9)
const MINUTE_MS = 60_000
const shop = '/api/v1/apps/shop'
const range = `from=${DATE}&to=${DATE}`

interface Visit {
  readonly device: string
  readonly session: string
  readonly user?: string
  /** numbers of the events that arrived, a minute apart */
  readonly seqs: readonly number[]
  readonly context: Partial<Context>
}

const search = { channel: 'search', referrer: 'www.google.com/', landing_page: 'shop.example/' } as const
const mail = { channel: 'email', utm: { utm_source: 'news', utm_medium: 'email', utm_campaign: 'spring' } } as const

/** Ann came by search and by mail, on two devices; Bob twice by search; two devices directly. */
const visits: readonly (readonly Visit[])[] = [
  [
    { device: 'phone', user: 'ann', session: 's1', seqs: [0, 1, 2], context: { ...search, country: 'DE' } },
    { device: 'pad', user: 'bob', session: 's2', seqs: [0, 3], context: { ...search, country: 'NP' } },
    { device: 'pad', user: 'bob', session: 's3', seqs: [1], context: { ...search, country: 'NP' } },
  ],
  [
    { device: 'laptop', user: 'ann', session: 's4', seqs: [0, 1], context: { ...mail, country: 'DE' } },
    { device: 'tv', session: 's5', seqs: [0], context: { channel: 'direct', browser: 'Chrome' } },
    { device: 'desk', session: 's6', seqs: [0, 2], context: { channel: 'direct', browser: 'Chrome' } },
    { device: 'robot', session: 's7', seqs: [0, 9], context: { channel: 'direct', bot: 'webdriver' } },
    // sent by a server that states no source
    { device: 'till', session: 's8', seqs: [0], context: { device: 'server' } },
  ],
]

function archived(some: readonly Visit[]): ArchivedEvent[] {
  const rows = some.flatMap(({ device, user = '', session, seqs, context }) =>
    seqs.map((seq): Omit<ArchivedEvent, 'position'> => {
      const event: Event = {
        type: 'custom',
        name: 'n',
        event_id: `${session}-${seq}`,
        timestamp: T0 + seq * MINUTE_MS,
        session_id: session,
        seq,
        ...(user !== '' && { user_id: user }),
      }
      const isServer = context.device === 'server'
      return {
        event,
        device_id: device,
        user,
        context: {
          device: 'desktop',
          browser: 'Firefox',
          os: 'Linux',
          ...(!isServer && { numbered: true as const }),
          ...context,
        },
        received_at: T0,
        index: 0,
      }
    }),
  )
  return rows.map((row, position) => ({ ...row, position }))
}

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  for (const [lane, some] of visits.entries()) {
    const lease = await hopper.storage.lanes.acquire(lane, 'test')
    const rows = archived(some)
    const cover = { app: 'shop', date: DATE, lane, first_position: 0, last_position: rows.length - 1 }
    await hopper.storage.archive!.append(lease, encodeChunks(rows, cover))
    await hopper.storage.lanes.release(lease)
  }
})
afterAll(() => hopper.close())

async function sources(query: string): Promise<SourcesAnswer> {
  const { status, body } = await hopper.get(`${shop}/sources?${query}&${range}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

describe('sources', () => {
  it('counts users and sessions by channel, distinct over devices', async () => {
    expect(await sources('by=channel')).toMatchObject({
      total_users: 5,
      rows: [
        { value: 'direct', users: 2, sessions: 2, share: 2 / 5 },
        { value: 'search', users: 2, sessions: 3, share: 2 / 5 },
        { value: 'email', users: 1, sessions: 1, share: 1 / 5 },
      ],
      meta: { from: DATE, to: DATE, timezone: 'Europe/Berlin' },
    })
    expect(await sources('by=channel&count_by=device&search=EARCH')).toMatchObject({
      total_users: 6,
      rows: [{ value: 'search', users: 2, sessions: 3 }],
    })
  })

  it('has a row for each value, and none for events without one', async () => {
    expect((await sources('by=referrer')).rows).toEqual([
      { value: 'www.google.com/', users: 2, sessions: 3, share: 2 / 5 },
    ])
    expect((await sources('by=landing_page')).rows).toMatchObject([{ value: 'shop.example/', users: 2 }])
    expect((await sources('by=utm_campaign')).rows).toMatchObject([{ value: 'spring', users: 1 }])
    expect((await sources('by=utm_medium')).rows).toMatchObject([{ value: 'email', users: 1 }])
  })

  it('accepts filters', async () => {
    const filters = encodeURIComponent(JSON.stringify([{ type: 'eq', key: 'country', value: 'DE' }]))
    expect(await sources(`by=channel&order=value&filters=${filters}`)).toMatchObject({
      total_users: 1,
      rows: [{ value: 'email' }, { value: 'search' }],
    })
  })

  it('is read page by page, in any order', async () => {
    const values: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page: SourcesAnswer = await sources(`by=channel&order=-sessions&limit=2${cursor && `&cursor=${cursor}`}`)
      values.push(...page.rows.map(({ value }) => value))
      cursor = page.next
    }
    expect(values).toEqual(['search', 'direct', 'email'])
    const { next } = await sources('by=channel&limit=1')
    const other = await hopper.get(`${shop}/sources?by=referrer&cursor=${next}&${range}`)
    expect(other).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
  })

  it('is CSV where it is requested', async () => {
    const headers = { authorization: `Bearer ${keys.read}`, accept: 'text/csv' }
    const { text } = await hopper.get(`${shop}/sources?by=utm_source&${range}`, headers)
    expect(text.trim().split(/\r?\n/)).toEqual(['value,users,sessions,share', 'news,1,1,0.2'])
  })

  it.each([
    ['by=colour', 'by'],
    ['by=channel&order=price', 'order'],
    ['by=channel&filters={', 'filters'],
    ['by=channel&filters=[{"type":"near"}]', 'filters[0].type'],
    ['by=channel&cursor=abc', 'cursor'],
    ['by=channel&limit=0', 'limit'],
  ])('refuses %s by name', async (query, field) => {
    const { status, body } = await hopper.get(`${shop}/sources?${query}&${range}`)
    expect([status, body]).toMatchObject([
      400,
      { error: { code: 'HOP_PARAM_INVALID', details: { fields: [{ field }] } } },
    ])
  })
})

describe('loss', () => {
  const loss = async (query: string): Promise<LossAnswer> => (await hopper.get(`${shop}/loss?${query}&${range}`)).body

  it('counts the gaps in the numbers of sessions, without servers and bots', async () => {
    const { rows, open_sessions } = await loss('by=day')
    expect(open_sessions).toBe(0)
    expect(rows).toMatchObject([
      { value: DATE, sessions: 6, expected: 15, received: 11, lost_share: 4 / 15, pages: 0, unclosed_pages: 0 },
    ])
    expect(rows[0]!.error).toBeGreaterThan(0.19)
    expect(rows[0]!.error).toBeLessThan(0.22)
  })

  it('is divided by browser and country', async () => {
    expect((await loss('by=browser')).rows).toMatchObject([
      { value: 'Firefox', sessions: 4, expected: 11, received: 8 },
      { value: 'Chrome', sessions: 2, expected: 4, received: 3 },
    ])
    expect((await loss('by=country')).rows).toMatchObject([
      { value: 'NP', expected: 6, received: 3 },
      { value: 'DE', expected: 5, received: 5, lost_share: 0 },
      { value: 'unknown', expected: 4, received: 3 },
    ])
  })

  it('is null where no tracker has numbered anything', async () => {
    const { body } = await hopper.get(`${shop}/loss?from=2026-03-01&to=2026-03-02`)
    expect(body).toMatchObject({ open_sessions: 0, rows: [] })
  })
})
