import { randomUUID } from 'node:crypto'
import type {
  Clicks,
  ElementActions,
  FunnelAnswer,
  JourneyResult,
  Meta,
  PageViews,
  StageTime,
  Traffic,
} from '@hopper/contracts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { whenCounted, getJson, type Installation } from './installations/installation.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'

const app = (id: string, more: object = {}) => ({
  id,
  name: id,
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
  ...more,
})
const checkout = { id: 'checkout', name: 'Checkout', stages: [{ id: 1, name: 'step 2', url: '/checkout?step=2' }] }
const apps = {
  shop: app('shop'),
  steps: app('steps', { funnels: [checkout] }),
  hash: app('hash', { hash_routing: true }),
  sampled: app('sampled'),
}
const admin = 'ha_acme_0123456789abcdef'
const browsers = {
  desktop: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  mobile:
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/140.0.0.0 Mobile Safari/537.36',
}
let installation: Installation
type Name = keyof typeof apps

/** Sends the events of one device, a second apart, as the tracker writes them. */
async function send(
  to: Name,
  device: string,
  events: readonly object[],
  browser: keyof typeof browsers = 'desktop',
): Promise<void> {
  const start = Date.now() - 60_000
  const whole = events.map((event, seq) => ({
    event_id: randomUUID(),
    timestamp: start + seq * 100,
    seq,
    session_id: `${device}-1`,
    ...event,
  }))
  const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
    method: 'POST',
    headers: {
      'content-type': 'text/plain',
      'x-api-key': apps[to].write_key,
      'user-agent': browsers[browser],
      origin: 'https://shop.example',
    },
    body: JSON.stringify({ sent_at: Date.now(), device_id: device, events: whole }),
  })
  expect(await answer.json()).toMatchObject({ accepted: events.length })
}

/** Returns the URL changes of a tab that visits these addresses in order. */
const walk = (...urls: string[]): object[] =>
  urls.map((to, i) => ({ type: 2, from: urls[i - 1] ?? '', to, elapsed_time: i === 0 ? 0 : 1_000 }))
const get = <T>(appName: Name, path: string) =>
  getJson<T & { meta: Meta }>(installation, `/api/v1/apps/${appName}/${path}`, apps[appName].read_key)
const views = async (appName: Name) =>
  (await get<PageViews>(appName, 'pages/views')).rows.map(({ url, views }) => [url, views])

async function post<T>(
  appName: Name,
  path: string,
  body: object,
  key: string = apps[appName].read_key,
): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${installation.apiUrl}/api/v1/apps/${appName}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as T }
}

forEachInstallation((open) => {
  beforeAll(async () => {
    const provision = { organizations: [{ id: 'acme', name: 'Acme', admin_key: admin, apps: Object.values(apps) }] }
    installation = await open({ provision, env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false' } })
    await installation.start()
    await send(
      'shop',
      'ann',
      walk(
        'https://shop.example/?utm_source=news',
        'https://shop.example/products/?colour=red',
        'https://Shop.example/cart#total',
      ),
    )
    await send(
      'shop',
      'bob',
      walk('https://shop.example/', 'https://shop.example/products?colour=blue#top', 'https://shop.example/cart/?x=1'),
    )
    // a tab that is closed reports the time on its last page as a change to ''
    await send('shop', 'eve', [
      ...walk('https://shop.example?utm_source=mail', 'https://shop.example/products', 'https://shop.example:443/cart'),
      { type: 2, from: 'https://shop.example/cart', to: '', elapsed_time: 500 },
    ])
    // moves that stay on a page: anchors, and a filter that is written into the query
    const docs = 'https://shop.example/docs'
    await send('shop', 'dan', walk(docs, `${docs}#a`, `${docs}#b`, `${docs}#c`))
    await send(
      'shop',
      'fay',
      walk('https://shop.example/list', ...Array.from({ length: 59 }, (_, i) => `https://shop.example/list?n=${i}`)),
    )
    await send('shop', 'gil', [
      ...walk(
        'https://shop.example/reset?token=s3cret&email=ann@example.com',
        'https://shop.example/invite#token=s3cret',
      ),
      { type: 1, target: '//a', current_url: 'https://ann:s3cret@shop.example/invite?token=s3cret', elapsed_time: 0 },
      { type: 2, from: 'https://search.example/?q=s3cret', to: 'https://shop.example/found', elapsed_time: 0 },
    ])
    await send(
      'hash',
      'ann',
      walk('https://app.example/#/home', 'https://app.example/#/cart/?token=s3cret', 'https://app.example/#top'),
    )
    await send('steps', 'ann', walk('https://shop.example/checkout?step=1', 'https://shop.example/checkout?x=1&step=2'))
    await send('sampled', 'ann', [
      { type: 2, from: '', to: 'https://shop.example/', elapsed_time: 0, samplerate: 10 },
      { type: 1, target: '//a', current_url: 'https://shop.example/', elapsed_time: 30, samplerate: 5 },
      { type: 0, name: 'sold', data: { size: '10' }, samplerate: 10 },
      { type: 0, name: 'sold', data: { size: 9 }, samplerate: 5 },
      { type: 3, target: '//b', action: 'hover-then-clicked', elapsed_time: 900, pointer: 'mouse' },
    ])
    await send('sampled', 'mob', [{ type: 3, target: '//b', action: 'hover-then-clicked', elapsed_time: 90 }], 'mobile')
    await send('sampled', 'tab', [
      { type: 3, target: '//b', action: 'hover-then-leave', elapsed_time: 90, pointer: 'touch' },
    ])
    await whenCounted(installation, apps.shop.read_key)
  }, 120_000)
  afterAll(() => installation?.dispose())

  it('shows a page once, however its address is written, and does not count a move on it as a view', async () => {
    expect((await views('shop')).sort()).toEqual([
      ['shop.example/', 3],
      ['shop.example/cart', 3],
      ['shop.example/docs', 1],
      ['shop.example/found', 1],
      ['shop.example/invite', 1],
      ['shop.example/list', 1],
      ['shop.example/products', 3],
      ['shop.example/reset', 1],
    ])
    const { rows } = await get<Traffic>('shop', 'traffic')
    expect(rows.reduce((sum, row) => sum + row.views, 0)).toBe(14)
  })

  it('shows the path of three people (home, products, cart) as one, found by its start, with exits', async () => {
    for (const start of ['shop.example/', 'https://shop.example/?utm_source=other#x']) {
      for (const unit of ['person', 'session']) {
        const { nodes, links } = await get<JourneyResult>(
          'shop',
          `journeys?count_by=${unit}&start=${encodeURIComponent(start)}`,
        )
        expect(nodes.map(({ value, users, kind }) => [value, users, kind])).toEqual([
          ['shop.example/', 3, undefined],
          ['shop.example/products', 3, undefined],
          ['shop.example/cart', 3, undefined],
          ['exit', 3, 'exit'],
        ])
        expect(links.map(({ users }) => users)).toEqual([3, 3, 3])
      }
    }
    const unknown = await fetch(`${installation.apiUrl}/api/v1/apps/shop/journeys?start=shop.example/nowhere`, {
      headers: { authorization: `Bearer ${apps.shop.read_key}` },
    })
    expect([unknown.status, await unknown.json()]).toMatchObject([
      400,
      {
        error: {
          code: 'HOP_PARAM_INVALID',
          message: expect.stringContaining('shop.example/nowhere'),
          details: { fields: [{ field: 'start' }] },
        },
      },
    ])
  })

  it('answers every query by the page name that the report shows', async () => {
    const range = { from: Date.now() - 3_600_000, to: Date.now() + 60_000 }
    const on = (page: string) => ({ name: page, filters: [{ type: 'eq', key: 'page', value: page }] })
    const { body } = await post<FunnelAnswer>('shop', 'funnels/query', {
      ...range,
      steps: [on('shop.example/'), on('shop.example/products'), on('shop.example/cart')],
      breakdown: 'page',
    })
    expect([body.steps.map(({ count }) => count), body.breakdown!.map(({ value, total }) => [value, total])]).toEqual([
      [3, 3, 3],
      [['shop.example/', 3]],
    ])
    const sets = await post<{ data: { count: number; unique: object }[] }>('shop', 'query', {
      start: range.from,
      end: range.to,
      data: [{ ...on('shop.example/cart'), unique: ['page', 'device_id'] }],
    })
    expect(sets.body.data[0]).toMatchObject({ count: 3, unique: { page: 1, device_id: 3 } })
    expect((await get<{ rows: { key: string }[] }>('shop', 'keys?prefix=')).rows.map(({ key }) => key)).toContain(
      'page',
    )
    expect(
      (await get<{ rows: { value: string; events: number }[] }>('shop', 'keys/page/values?prefix=shop.example/c')).rows,
    ).toEqual([{ value: 'shop.example/cart', events: 3 }])
  })

  it('exposes no query, fragment or password of an address in any answer', async () => {
    const text = async (path: string): Promise<string> =>
      (
        await fetch(`${installation.apiUrl}/api/v1/apps/shop/${path}`, {
          headers: { authorization: `Bearer ${apps.shop.read_key}` },
        })
      ).text()
    const answers = await Promise.all(
      [
        'keys/to/values',
        'keys/from/values',
        'keys/current_url/values',
        'keys/referrer/values',
        'export?format=ndjson',
        'export?format=csv',
        'events?limit=1000',
        'persons/d:gil',
      ].map(text),
    )
    for (const answer of answers) {
      expect(answer).not.toContain('s3cret')
      expect(answer).not.toContain('ann@example.com')
    }
    expect(answers[0]).toContain('https://shop.example/reset')
    // the campaign of the visit is known nevertheless
    expect(answers[4]).toContain('"utm_source":"news"')
  })

  it('has a page for each route of an app that routes by hash', async () => {
    expect(new Map((await views('hash')) as [string, number][])).toEqual(
      new Map([
        ['app.example/#/home', 1],
        ['app.example/#/cart', 1],
        ['app.example/', 1],
      ]),
    )
  })

  it('keeps the parameters that a stage needs, and refuses a stage that no event can enter', async () => {
    expect((await views('steps')).sort()).toEqual([
      ['shop.example/checkout?step=1', 1],
      ['shop.example/checkout?step=2', 1],
    ])
    const cases: [object, string][] = [
      [{ url: 'checkout' }, 'stages[0].url'],
      [{ url: '###' }, 'stages[0].url'],
      [{ url: '/#/cart' }, 'stages[0].url'],
      [{}, 'stages[0]'],
    ]
    for (const [stage, field] of cases) {
      const refused = await post(
        'shop',
        'funnels',
        { id: 'bad', name: 'Bad', stages: [{ id: 1, name: 'One', ...stage }] },
        admin,
      )
      expect(refused).toMatchObject({
        status: 400,
        body: { error: { code: 'HOP_PARAM_INVALID', details: { fields: [{ field }] } } },
      })
    }
  })

  it('weights sampled events in counters but not in sets of users, and takes hesitation from the mouse', async () => {
    const { rows } = await get<Traffic>('sampled', 'traffic')
    expect(rows.at(-1)).toMatchObject({ events: 10 + 5 + 10 + 5 + 3, views: 10, users: 3 })
    expect((await get<PageViews>('sampled', 'pages/views')).rows).toEqual([
      { url: 'shop.example/', views: 10, average_seconds: null },
    ])
    expect((await get<Clicks>('sampled', 'clicks')).rows).toMatchObject([{ hits: 5, average_ms: 30 }])
    expect((await get<{ rows: object[] }>('sampled', 'keys/name/values')).rows).toEqual([{ value: 'sold', events: 15 }])
    const body = {
      start: Date.now() - 3_600_000,
      end: Date.now() + 60_000,
      data: [{ name: 'sold', filters: [{ type: 'eq', key: 'name', value: 'sold' }], unique: ['device_id'] }],
    }
    expect((await post('sampled', 'query', body)).body).toMatchObject({
      data: [{ count: 15, unique: { device_id: 1 } }],
    })
    expect((await get<ElementActions>('sampled', 'elements/actions')).rows).toMatchObject([
      { hits: 1, hover_click: 1, average_click_ms: 900, average_leave_ms: null },
    ])
  })

  it('has no number where the divisor is zero, also in CSV', async () => {
    expect((await get<StageTime>('steps', 'stages/time?funnel=checkout')).rows).toMatchObject([
      { hits: 0, average_seconds: null },
    ])
    const csv = await fetch(`${installation.apiUrl}/api/v1/apps/steps/stages/time?funnel=checkout`, {
      headers: { authorization: `Bearer ${apps.steps.read_key}`, accept: 'text/csv' },
    })
    expect((await csv.text()).trim().split('\r\n').at(-1)).toBe('1,step 2,0,0,')
  })
})
