import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reports } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { firstStart, provision } from '../index.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

/** An answer in the OpenAPI document. */
interface Answered {
  readonly content?: Record<string, { schema: { $ref?: string } }>
}

let hopper: Installation
const dashboardDir = mkdtempSync(join(tmpdir(), 'hopper-dashboard-'))

beforeAll(async () => {
  mkdirSync(join(dashboardDir, 'assets'))
  writeFileSync(join(dashboardDir, 'index.html'), '<!doctype html><title>Hopper</title>')
  writeFileSync(join(dashboardDir, 'assets', 'main-abc123.js'), 'export {}')
  hopper = await openInstallation(openEmbedded, { dashboardDir, operationRoutes: true })
})
afterAll(async () => {
  await hopper.close()
  rmSync(dashboardDir, { recursive: true })
})

const bearer = { authorization: `Bearer ${keys.admin}` }

test('unknown paths, wrong methods and unreadable bodies get codes of the catalogue', async () => {
  expect(await hopper.get('/api/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'HOP_NOT_FOUND' } } })
  expect(await hopper.send('DELETE', '/api/v1/apps')).toMatchObject({
    status: 405,
    body: { error: { code: 'HOP_METHOD' } },
    headers: { allow: 'GET, HEAD, POST, OPTIONS' },
  })
  const post = (payload: string, type = 'application/json'): Promise<{ statusCode: number; json(): unknown }> =>
    hopper.app.inject({ method: 'POST', url: '/api/v1/apps', payload, headers: { ...bearer, 'content-type': type } })
  const refused: [string, string | undefined, number, string][] = [
    ['{"id":', undefined, 400, 'HOP_BODY_INVALID'],
    ['{"__proto__":{"id":"x"}}', undefined, 400, 'HOP_BODY_INVALID'],
    ['<a/>', 'application/xml', 415, 'HOP_BODY_TYPE'],
    ['"x"', undefined, 400, 'HOP_PARAM_INVALID'],
    [`"${'x'.repeat(1_100_000)}"`, undefined, 413, 'HOP_BODY_TOO_LARGE'],
  ]
  for (const [payload, type, status, code] of refused) {
    const answer = await post(payload, type)
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { error: { code } }])
  }
})

test('openapi.json is OpenAPI 3.1 and lists exactly the routes', async () => {
  const { body } = await hopper.get('/openapi.json', {})
  const { openapi, info, paths } = body as {
    openapi: string
    info: object
    paths: Record<string, Record<string, { responses: object; operationId: string }>>
  }
  expect(openapi).toBe('3.1.0')
  expect(info).toMatchObject({ title: 'Hopper', version: '1' })
  const listed = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const report = [
    'stages/users',
    'stages/conversion',
    'stages/time',
    'stages/graph',
    'elements/actions',
    'elements/durations',
    'elements/twins',
    'pages/views',
    'clicks',
    'agents',
    'traffic',
    'sources',
    'loss',
  ]
  const app = '/api/v1/apps/{app}'
  const crud = (path: string, one: string): string[] => [`GET ${path}`, `POST ${path}`, `PATCH ${one}`, `DELETE ${one}`]
  expect(listed.sort()).toEqual(
    [
      `POST ${app}/funnels/query`,
      `POST ${app}/elements/query`,
      `POST ${app}/hesitation/query`,
      `POST ${app}/instead/query`,
      `POST ${app}/people/query`,
      `POST ${app}/query`,
      `POST ${app}/retention/query`,
      `GET ${app}/journeys`,
      `POST ${app}/journeys/people`,
      'POST /query',
      'POST /mcp',
      'GET /events',
      'GET /eventstream',
      'GET /database_events',
      'GET /session/{uuid}',
      'GET /schemas/query.json',
      ...report.map((path) => `GET ${app}/${path}`),
      ...crud(`${app}/funnels`, `${app}/funnels/{funnel}`),
      `GET ${app}/funnels/{funnel}`,
      ...crud(`${app}/elements`, `${app}/elements`),
      ...crud(`${app}/alerts`, `${app}/alerts/{alert}`),
      `GET ${app}/alerts/{alert}`,
      `POST ${app}/alerts/{alert}/test`,
      ...crud(`${app}/annotations`, `${app}/annotations/{annotation}`),
      `GET ${app}/shared-links`,
      `POST ${app}/shared-links`,
      `DELETE ${app}/shared-links/{link}`,
      'POST /api/v1/shared-links/{link}/open',
      'GET /api/v1/shared-view',
      'GET /embed/{link}',
      `GET ${app}/keys`,
      `POST ${app}/keys`,
      `DELETE ${app}/keys/{key}`,
      `GET ${app}/keys/{key}/values`,
      `GET ${app}/events`,
      `GET ${app}/export`,
      `GET ${app}/live`,
      `GET ${app}/changes`,
      `GET ${app}/events/{event}`,
      `GET ${app}/persons`,
      `GET ${app}/persons/{person}`,
      `DELETE ${app}/persons/{person}`,
      `GET ${app}/forgets`,
      `GET ${app}/forgets/{forget}`,
      `GET ${app}/properties`,
      `PUT ${app}/properties/{property}`,
      `DELETE ${app}/properties/{property}`,
      'GET /api/v1/apps',
      `GET ${app}/tag`,
      `POST ${app}/picker-links`,
      `GET ${app}/picks/{pick}`,
      'POST /v1/picks',
      'GET /v1/picker.js',
      'GET /v1/link',
      'POST /v1/link',
      'POST /api/v1/apps',
      `GET ${app}`,
      `PATCH ${app}`,
      'GET /api/v1/organizations',
      'GET /api/v1/status',
      'GET /api/v1/dead-letters',
      'GET /api/v1/audits',
      'POST /api/v1/audits',
      'GET /api/v1/disk',
      `GET ${app}/fates`,
      'GET /api/v1/refusals',
      'GET /api/v1/processes',
      'POST /api/v1/dead-letters/replay',
      ...crud('/api/v1/members', '/api/v1/members/{member}'),
      'PATCH /api/v1/members/me',
      'POST /api/v1/members/{member}/login-link',
      'DELETE /api/v1/members/{member}/second-factor',
      'POST /api/v1/login',
      'GET /api/v1/login',
      'GET /login',
      'GET /login/oidc',
      'GET /login/oidc/callback',
      'POST /login',
      'GET /api/v1/me/sessions',
      'DELETE /api/v1/me/sessions/{session}',
      'GET /api/v1/me/second-factor',
      'POST /api/v1/me/second-factor',
      'PUT /api/v1/me/second-factor',
      'DELETE /api/v1/me/second-factor',
      'POST /api/v1/logout',
      'GET /api/v1/me',
      'POST /api/v1/me',
      'GET /healthcheck',
      'GET /ready',
      'GET /metrics',
      'POST /v1/events',
      'POST /events',
      'PUT /events',
      'PUT /event',
      'POST /v1/track',
      'POST /v1/identify',
      'GET /ws',
      'GET /v1/config',
      'GET /hopper.js',
      ...['page', 'screen', 'group', 'alias', 't', 'p', 's', 'i', 'g', 'a'].map((call) => `POST /v1/${call}`),
      ...['batch', 'import', 'b', 'm'].map((call) => `POST /v1/${call}`),
      'GET /v1/projects/{key}/settings',
      ...['batch', 'e', 'i/v0/e', 'capture', 'track', 'engage', 'flags', 'decide', 's'].map((call) => `POST /${call}/`),
      'GET /array/{key}/config',
      'GET /array/{key}/config.js',
    ].sort(),
  )
  const operations = Object.values(paths).flatMap((item) => Object.values(item))
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  expect(paths[`${app}/stages/conversion`]!['get']).toMatchObject({
    parameters: expect.arrayContaining([
      expect.objectContaining({ name: 'app', in: 'path', required: true }),
      expect.objectContaining({ name: 'from', in: 'query' }),
    ]),
    responses: {
      200: {
        content: { 'application/json': { schema: { $ref: '#/components/schemas/StageConversion' } }, 'text/csv': {} },
      },
    },
  })
})

test('every answer about events of a range is among the reports that GET changes names', async () => {
  const { body } = await hopper.get('/openapi.json', {})
  const { paths, components } = body as {
    paths: Record<string, Record<string, { responses: Record<string, Answered> }>>
    components: { schemas: Record<string, { properties?: object }> }
  }
  const app = '/api/v1/apps/{app}/'
  const ofApp = Object.entries(paths).filter(([path]) => path.startsWith(app))
  const withMeta = ofApp.flatMap(([path, item]) =>
    Object.values(item)
      .map(({ responses }) => responses['200']?.content?.['application/json']?.schema.$ref?.split('/').at(-1))
      .filter((name) => name !== undefined && 'meta' in (components.schemas[name]!.properties ?? {}))
      .map(() => path.slice(app.length).replace(/\/\{.*/, '')),
  )
  expect([...new Set(withMeta)].sort()).toEqual([...reports].sort())
})

test('the schema of a query is served, and OpenAPI refers to the same filter', async () => {
  const { status, body, headers } = await hopper.get('/schemas/query.json', {})
  expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
  expect(body).toMatchObject({
    title: 'Query',
    required: ['start', 'end', 'data'],
    $defs: { Filter: { anyOf: expect.any(Array) } },
  })
  const openapi = (await hopper.get('/openapi.json', {})).body as { components: { schemas: Record<string, unknown> } }
  expect(openapi.components.schemas['Filter']).toMatchObject({ anyOf: expect.any(Array) })
  expect(new Set([...JSON.stringify(openapi).matchAll(/"\$ref":"([^"]*)"/g)].map(([, place]) => place))).toContain(
    '#/components/schemas/Filter',
  )
})

test('the docs are self-hosted and refer to no other host', async () => {
  const { status, text, headers } = await hopper.get('/docs', {})
  expect(status).toBe(200)
  expect(text).not.toMatch(/(src|href)=.https?:/)
  expect(headers['content-security-policy']).toContain("script-src 'self';")
  expect((await hopper.get('/docs/swagger-ui-bundle.js', {})).status).toBe(200)
})

test('the dashboard has its page at its own URLs, immutable hashed files and a strict policy', async () => {
  for (const url of ['/', '/apps/shop/funnel']) {
    const page = await hopper.get(url, { accept: 'text/html' })
    expect([page.status, page.text]).toEqual([200, '<!doctype html><title>Hopper</title>'])
    expect(page.headers).toMatchObject({
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
  }
  const file = await hopper.get('/assets/main-abc123.js', {})
  expect(file.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect((await hopper.get('/assets/gone.js', { accept: 'text/html' })).status).toBe(404)
  expect((await hopper.get('/api/v1/nothing', { accept: 'text/html' })).status).toBe(404)
  const login = await hopper.send('POST', '/login', { token: 'stale' }, { accept: 'text/html' })
  expect([login.status, login.headers['location']]).toEqual([303, '/?login=expired'])
})

test('the operation routes are served', async () => {
  expect(await hopper.get('/healthcheck', {})).toMatchObject({ status: 200, text: 'OK' })
  expect((await hopper.get('/ready', {})).body).toMatchObject({ ready: true })
  expect((await hopper.get('/metrics', {})).text).toContain('hopper_api_request_seconds')
})

test('provisioning twice changes nothing; a faulty file is refused before anything is written', async () => {
  const { registry } = hopper.storage
  const app = { id: 'fresh', name: 'Fresh', timezone: 'Europe/Berlin' }
  const file = { organizations: [{ id: 'new', name: 'New', apps: [app] }] }
  const { created } = await provision(registry, file)
  expect(created.map(({ power, app }) => [power, app])).toEqual([
    ['admin', undefined],
    ['write', 'fresh'],
    ['read', 'fresh'],
  ])
  expect((await provision(registry, file)).created).toEqual([])
  const moved = { organizations: [{ id: 'new', name: 'Renamed', apps: [{ ...app, timezone: 'UTC' }] }] }
  await expect(provision(registry, moved)).rejects.toMatchObject({
    code: 'HOP_CONFIG',
    message: expect.stringContaining('time zone cannot become UTC'),
  })
  expect((await registry.organizations.get('', 'new'))!.name).toBe('New')
  await expect(
    provision(registry, { organizations: [{ id: 'new', name: 'New', apps: [{ id: 'shop', name: 'Mine now' }] }] }),
  ).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await expect(provision(registry, { organizations: [{ id: 'a b', name: '' }] })).rejects.toMatchObject({
    code: 'HOP_CONFIG',
  })
  expect(await firstStart(registry)).toBeUndefined()
})
