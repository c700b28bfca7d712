import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { laneOf, type FunnelAnswer } from '@hopper/contracts'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { keys, LANES, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let hopper: Installation
let url: string
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const range = { from: DATE, to: DATE }
const app = '/api/v1/apps/shop'
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })

/** Four people look. Two of them put something into the cart: d1 in time, d2 after the window of the funnel. */
const looked = ['d1', 'd2', 'd3', 'd4']
const bought: readonly [device: string, minute: number][] = [
  ['d1', 5],
  ['d2', 90],
]

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const sketches = [
    ...looked.map((device, index): Sketch => ({
      device,
      time: T0 + index * 1_000,
      data: { tag: 'view', colour: 'red' },
    })),
    ...bought.map(([device, minute]): Sketch => ({ device, time: T0 + minute * 60_000, data: { tag: 'cart' } })),
  ]
  for (const [lane, group] of Map.groupBy(sketches, ({ device }) => laneOf('shop', device, LANES)))
    await archiveSketches(hopper.storage, 'shop', lane, DATE, 0, group)
  await hopper.app.listen(0, '127.0.0.1')
  url = `${(await hopper.app.getUrl()).replace('[::1]', '127.0.0.1')}/mcp`
})
afterAll(() => hopper.close())

async function connected(key: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: bearer(key) } })
  await client.connect(transport)
  return client
}

interface Called {
  readonly isError: boolean
  readonly answer: Record<string, unknown>
}

async function call(client: Client, name: string, given: object = {}): Promise<Called> {
  const { isError = false, content } = await client.callTool({ name, arguments: given as Record<string, unknown> })
  const [{ text }] = content as [{ text: string }]
  return { isError: isError === true, answer: JSON.parse(text) as Record<string, unknown> }
}

const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...bearer(keys.read),
      ...headers,
    },
    body: JSON.stringify(body),
  })
const codeOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  ((await answer.json()) as { error: { code: string } }).error.code,
]

const step = (tag: string): object => ({ name: tag, filters: [{ type: 'eq', key: 'tag', value: tag }] })
const funnel = { ...range, window_ms: 3_600_000, steps: [step('view'), step('cart')] }

test('an assistant that connects gets the tools, with the schemas of the calls', async () => {
  const client = await connected(keys.read)
  expect(client.getServerVersion()).toMatchObject({ name: 'hopper' })
  expect(client.getInstructions()).toContain('list_apps')
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toEqual(
    'list_apps list_funnels list_keys list_values funnel query journeys retention list_persons person'.split(' '),
  )
  const openapi = (await hopper.get('/openapi.json', {})).body as {
    components: { schemas: Record<string, { properties: object; required?: string[] }> }
  }
  for (const [name, schema] of Object.entries({
    funnel: 'FunnelQuery',
    query: 'EventQuery',
    retention: 'RetentionQuery',
  })) {
    const { properties = {}, required = [] } = tools.find((tool) => tool.name === name)!.inputSchema
    const own = openapi.components.schemas[schema]!
    expect([name, Object.keys(properties)]).toEqual([name, ['app', ...Object.keys(own.properties)]])
    expect([name, required]).toEqual([name, own.required ?? []])
  }
  await client.close()
})

test('a funnel has the numbers and causes of the API, and they are right', async () => {
  const client = await connected(keys.read)
  const { isError, answer } = await call(client, 'funnel', funnel)
  const { body } = await hopper.send('POST', `${app}/funnels/query`, funnel, bearer(keys.read))
  expect(isError).toBe(false)
  expect(answer).toEqual(body)
  const { steps } = answer as unknown as FunnelAnswer
  expect(steps.map(({ count }) => count)).toEqual([4, 1])
  expect(steps[1]).toMatchObject({ dropped: 3, causes: { late: 1, never: 2 } })
  await client.close()
})

test('every tool gives the answer of its API call', async () => {
  const client = await connected(keys.read)
  const reads = bearer(keys.read)
  const query = {
    start: DATE,
    end: DATE,
    data: [{ name: 'views', filters: [{ type: 'eq', key: 'tag', value: 'view' }] }],
  }
  const retention = { ...range, by: 'day', first: [], again: [] }
  const dates = `from=${DATE}&to=${DATE}`
  const pairs: [string, object, ReturnType<Installation['get']>][] = [
    ['list_apps', {}, hopper.get('/api/v1/apps')],
    ['list_funnels', {}, hopper.get(`${app}/funnels`)],
    ['list_keys', range, hopper.get(`${app}/keys?prefix=&${dates}`)],
    ['list_keys', { ...range, where: 'tag:view' }, hopper.get(`${app}/keys?where=tag:view&${dates}`)],
    ['list_values', { ...range, key: 'tag' }, hopper.get(`${app}/keys/tag/values?${dates}`)],
    ['query', query, hopper.send('POST', `${app}/query`, query, reads)],
    ['journeys', { ...range, key: 'tag', depth: 2 }, hopper.get(`${app}/journeys?key=tag&depth=2&${dates}`)],
    ['retention', retention, hopper.send('POST', `${app}/retention/query`, retention, reads)],
    ['list_persons', { ...range, order: 'events' }, hopper.get(`${app}/persons?${dates}&order=events`)],
    ['person', { ...range, person: 'd:d1' }, hopper.get(`${app}/persons/d:d1?${dates}`)],
  ]
  for (const [name, given, answer] of pairs) {
    const { status, body } = await answer
    expect([name, status]).toEqual([name, 200])
    expect([name, await call(client, name, given)]).toEqual([name, { isError: false, answer: body }])
  }
  await client.close()
})

test('a wrong key, a write key and no key are refused; another app and unknown tools too', async () => {
  for (const key of ['hr_unknown', keys.write]) await expect(connected(key)).rejects.toThrow()
  const listing = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  expect(await codeOf(await post(listing, { authorization: 'Bearer hr_unknown' }))).toEqual([401, 'HOP_KEY_UNKNOWN'])
  expect(await codeOf(await post(listing, { authorization: '' }))).toEqual([401, 'HOP_LOGIN_REQUIRED'])
  expect(await codeOf(await post(listing, bearer(keys.write)))).toEqual([403, 'HOP_KEY_POWER'])

  const client = await connected(keys.read)
  const refused = async (name: string, given: object): Promise<unknown> => (await call(client, name, given)).answer
  // The answer does not reveal which apps exist.
  for (const app of ['blog', 'none'])
    expect(await refused('funnel', { app, ...funnel })).toMatchObject({ error: { code: 'HOP_KEY_POWER' } })
  await expect(client.callTool({ name: 'drop_tables', arguments: {} })).rejects.toThrow('no tool "drop_tables"')
  await client.close()

  const admin = await connected(keys.admin)
  expect((await call(admin, 'list_funnels')).answer).toMatchObject({
    error: { code: 'HOP_PARAM_INVALID', message: expect.stringContaining('app is required') as string },
  })
  expect((await call(admin, 'list_funnels', { app: 'shop' })).isError).toBe(false)
  expect((await call(admin, 'list_funnels', { app: 'foreign' })).answer).toMatchObject({
    error: { code: 'HOP_APP_UNKNOWN' },
  })
  await admin.close()
})

test('arguments that the call would refuse are errors of the tool, with code, message and fields', async () => {
  const client = await connected(keys.read)
  const { isError, answer } = await call(client, 'funnel', { ...funnel, windowMs: 1 })
  expect([isError, answer]).toEqual([
    true,
    {
      error: {
        code: 'HOP_PARAM_INVALID',
        message: 'windowMs is unknown here; did you mean window_ms?',
        details: { fields: [{ field: 'windowMs', message: 'is unknown here; did you mean window_ms?' }] },
      },
    },
  ])
  const many = { ...funnel, steps: Array.from({ length: 101 }, () => step('view')) }
  expect((await call(client, 'funnel', many)).answer).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  await client.close()
  const params = { name: 'funnel', arguments: { ...funnel, padding: 'x'.repeat(1_100_000) } }
  const large = await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  expect(await codeOf(large)).toEqual([413, 'HOP_BODY_TOO_LARGE'])
  const old = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-protocol-version': '1999-01-01' })
  expect(await codeOf(old)).toEqual([400, 'HOP_PARAM_INVALID'])
  for (const body of [[{ jsonrpc: '2.0', id: 1, method: 'tools/list' }], { id: 1 }, 'x'])
    expect(await codeOf(await post(body))).toEqual([400, 'HOP_PARAM_INVALID'])
})

test('a page of another origin is refused, no session is kept, and other methods are not allowed', async () => {
  const listing = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  expect(await codeOf(await post(listing, { origin: 'http://evil.example:8080' }))).toEqual([403, 'HOP_FOREIGN_ORIGIN'])
  expect((await post(listing, { origin: 'http://127.0.0.1:8080' })).status).toBe(200)
  const answer = await post(listing)
  expect([answer.status, answer.headers.get('mcp-session-id')]).toEqual([200, null])
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  const noted = await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
  expect([noted.status, await noted.text()]).toEqual([202, ''])
  for (const method of ['GET', 'DELETE']) {
    const refused = await fetch(url, { method, headers: { ...bearer(keys.read), accept: 'text/event-stream' } })
    expect([method, refused.headers.get('allow'), ...(await codeOf(refused))]).toEqual([
      method,
      'POST, OPTIONS',
      405,
      'HOP_METHOD',
    ])
  }
})
