import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServedRoute } from './event-loop-probe.ts'
import { send, type Answered } from './http-request.fixture.ts'
import { keys, provision } from './organizations.fixture.ts'
import { probedServer, type ProbedServer } from './probed-server.fixture.ts'

/** A caller, and what it may do in the apps that it may see. */
interface Caller {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  /** the access declared beside routes that this caller has */
  readonly may: readonly string[]
  readonly apps: readonly string[]
  /** the page whose shared link it reads */
  readonly page?: string
}

const PASSWORD = 'three blue kettles sing'
const MARK = 'only-the-foreign-app-has-this'
let server: ProbedServer
let routes: ServedRoute[]
const callers: Caller[] = []

const key = (text: string): Record<string, string> => ({ 'x-api-key': text })
const everybody = ['nothing', 'operator']
const acme = ['shop', 'blog']

beforeAll(async () => {
  server = await probedServer(provision)
  const { url } = server.service
  const post = (path: string, credential: string, body: unknown): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': credential },
      body: JSON.stringify(body),
    })
  const events = [{ type: 'custom', name: MARK, event_id: MARK, timestamp: Date.now(), data: { secret: MARK } }]
  expect((await post('/v1/events', keys.foreignWrite, { device_id: MARK, user_id: MARK, events })).status).toBe(202)
  for (const [id, role, may] of [
    ['vera', 'viewer', ['read', 'login']],
    ['adam', 'admin', ['read', 'login', 'admin']],
  ] as const) {
    expect((await post('/api/v1/members', keys.admin, { id, name: id, role, password: PASSWORD })).status).toBe(201)
    const login = await post('/api/v1/login', '', { member: id, password: PASSWORD })
    const cookie = login.headers.getSetCookie().map((one) => one.split(';')[0])
    const csrf = cookie.find((one) => one!.startsWith('hopper_csrf='))!.slice('hopper_csrf='.length)
    callers.push({
      name: role,
      headers: { cookie: cookie.join('; '), 'x-hopper-csrf': csrf },
      may: [...everybody, ...may],
      apps: acme,
    })
  }
  for (const page of ['overview', 'funnel', 'elements', 'journeys', 'explore'])
    callers.push({
      name: `reader of a shared ${page}`,
      headers: await readerOf(page, post),
      may: [...everybody, 'shared'],
      apps: ['shop'],
      page,
    })
  callers.push(
    { name: 'nobody', headers: {}, may: everybody, apps: [] },
    { name: 'unknown key', headers: key('hr_no_such_key_anywhere'), may: everybody, apps: [] },
    { name: 'write key', headers: key(keys.shopWrite), may: [...everybody, 'write'], apps: ['shop'] },
    { name: 'read key', headers: key(keys.shopRead), may: [...everybody, 'read'], apps: ['shop'] },
    { name: 'read key of a sister app', headers: key(keys.blogRead), may: [...everybody, 'read'], apps: ['blog'] },
    { name: 'admin key', headers: key(keys.admin), may: [...everybody, 'read', 'admin'], apps: acme },
    {
      name: 'admin key of others',
      headers: key(keys.otherAdmin),
      may: [...everybody, 'read', 'admin'],
      apps: ['foreign'],
    },
  )
  routes = [...(await server.probe()).routes]
}, 90_000)
afterAll(() => server.dispose())

/** Shares a view of the shop, and returns the headers of somebody who has opened it. */
async function readerOf(
  page: string,
  post: (path: string, credential: string, body: unknown) => Promise<Response>,
): Promise<Record<string, string>> {
  const view = { page, range: '30d', ...(page === 'funnel' ? { funnel: 'shared' } : {}) }
  if (page === 'funnel') {
    const funnel = { id: 'shared', name: 'Shared', stages: [{ name: 'a', url: '/a' }] }
    expect((await post('/api/v1/apps/shop/funnels', keys.admin, funnel)).status).toBe(201)
  }
  const body = { name: page, view, ends_at: Date.now() + 3_600_000 }
  const created = await post('/api/v1/apps/shop/shared-links', keys.admin, body)
  const { id, url } = (await created.json()) as { id: string; url: string }
  const opened = await post(`/api/v1/shared-links/${id}/open`, '', { token: new URL(url).hash.slice(1) })
  expect([created.status, opened.status]).toEqual([201, 200])
  return { 'x-hopper-share': id, cookie: opened.headers.getSetCookie()[0]!.split(';')[0]! }
}

const isFile = ({ url }: ServedRoute): boolean =>
  url === '/*' || url.startsWith('/docs') || /\.[a-z]+$|^\/(assets|demo)/.test(url)
/** Their key is in the path: access depends on the key, not on the caller. */
const hasKeyInPath = ({ url }: ServedRoute): boolean => /^\/(array|v1\/projects)\//.test(url)
const called = (): ServedRoute[] =>
  routes.filter((route) => !isFile(route) && route.method !== 'OPTIONS' && route.method !== 'HEAD' && route.url !== '/')

/** Calls a route of an app with nothing that could change it: an unknown parameter and a body of no known shape. */
async function call({ method, url }: ServedRoute, app: string, headers: Caller['headers']): Promise<Answered> {
  const path = url.replace(':app', app).replace(/:[A-Za-z]+/g, 'no-such-thing')
  const json = method === 'GET' ? {} : { 'content-type': 'application/json' }
  return send(server.service.url, {
    method,
    path: url === '/ws' ? `${path}?sessionId=11111111-1111-4111-8111-111111111111` : `${path}?no_such_parameter=1`,
    headers: { ...json, ...headers },
    ...(method !== 'GET' && { body: '{"no_such_field":1}' }),
  })
}

/** True when the caller lacks the access. A page whose origin the app does not list is refused whatever its key. */
const isRefused = ({ status, text }: Answered): boolean =>
  status === 401 ||
  (status === 403 && !text.includes('HOP_ORIGIN')) ||
  (status === 404 && text.includes('HOP_APP_UNKNOWN'))

describe('every route', () => {
  it('declares its access', () => {
    const undeclared = called().filter(({ access }) => access === undefined)
    expect(undeclared.map(({ method, url }) => `${method} ${url}`)).toEqual([])
    expect(called().length).toBeGreaterThan(60)
  })

  it('refuses every caller without that access, and every foreign app, and reveals nothing about it', async () => {
    const wrong: string[] = []
    let tried = 0
    for (const route of called()) {
      const apps = route.url.includes(':app') ? ['shop', 'blog', 'foreign', 'no-such-app'] : [undefined]
      for (const app of apps)
        for (const { name, headers, may, apps: own, page } of callers) {
          // these calls would end the login that later calls need
          if (route.url === '/api/v1/logout' || route.url === '/api/v1/login' || route.url === '/login') continue
          const answer = await call(route, app ?? '', headers)
          tried++
          const isShared = page !== undefined && route.sharedPages?.includes(page)
          const isAllowed = (may.includes(route.access!) || isShared) && (app === undefined || own.includes(app))
          const label = `${route.method} ${route.url} (${route.access}) of ${app} by ${name}: ${answer.status}`
          if (answer.status >= 500 && answer.status !== 503) wrong.push(`${label} is a failure`)
          if (!isAllowed && !isRefused(answer)) wrong.push(`${label} ${answer.text.slice(0, 80)} is not refused`)
          if (isAllowed && isRefused(answer) && !hasKeyInPath(route))
            wrong.push(`${label} ${answer.text.slice(0, 120)} is refused`)
          if (!own.includes('foreign') && answer.text.includes(MARK)) wrong.push(`${label} shows foreign data`)
        }
    }
    expect(tried).toBeGreaterThan(800)
    expect(wrong).toEqual([])
  }, 300_000)

  it('answers the same for a foreign app and one that does not exist', async () => {
    for (const { name, headers } of callers.filter(({ apps }) => !apps.includes('foreign')))
      for (const route of called().filter(({ url }) => url.includes(':app'))) {
        const [foreign, missing] = [await call(route, 'foreign', headers), await call(route, 'no-such-app', headers)]
        expect([name, route.method, route.url, foreign.status, foreign.text]).toEqual([
          name,
          route.method,
          route.url,
          missing.status,
          missing.text,
        ])
      }
  }, 300_000)

  it('sends the security headers, whatever it answers', async () => {
    const paths = routes.map(({ method, url }) => [method, url.replace(/:[A-Za-z]+/g, 'x').replace('*', 'x')] as const)
    const others = [
      ['GET', '/no/such/path'],
      ['GET', '/%zz'],
      ['POST', '/query'],
      ['GET', '/demo/'],
      ['GET', '/demo/shop.js'],
      ['GET', '/'],
      ['PATCH', '/v1/events'],
    ] as const
    for (const [method, path] of [...paths, ...others]) {
      const { headers, status } = await send(server.service.url, { method, path })
      expect([method, path, status, headers['x-content-type-options'], headers['x-frame-options']]).toEqual([
        method,
        path,
        status,
        'nosniff',
        'DENY',
      ])
      expect([path, headers['content-security-policy']]).toEqual([
        path,
        expect.stringContaining("frame-ancestors 'none'"),
      ])
      expect([path, headers['referrer-policy']]).toEqual([path, 'no-referrer'])
    }
    const demo = (await send(server.service.url, { method: 'GET', path: '/demo/' })).headers['content-security-policy']
    expect(demo).toContain(`connect-src ${server.service.url}/v1/;`)
  }, 120_000)
})
