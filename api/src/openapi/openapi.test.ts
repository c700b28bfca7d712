import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openEmbedded } from '@hopper/storage/embedded'
import createClient from 'openapi-fetch'
import openapiTS, { astToString } from 'openapi-typescript'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { faultsIn } from '../http/checked.ts'
import { examples } from './examples.ts'
import * as contracts from '@hopper/contracts'
import * as administration from '../answers/administration.ts'
import * as deadLetters from '../answers/dead-letters.ts'
import * as installing from '../answers/installing.ts'
import * as mcp from '../answers/mcp.ts'
import * as secondFactor from '../answers/second-factor.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// this runs a compiler, which is slow on busy machines
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

interface Operation {
  operationId: string
  security?: Record<string, string[]>[]
  parameters?: { name: string; in: string; schema: { type?: string; minimum?: number; maximum?: number } }[]
  requestBody?: { content: Record<string, { schema: { $ref?: string }; example?: object }> }
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>
}
interface Document {
  openapi: string
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation> & { servers?: { url: string }[] }>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, object> }
}

let hopper: Installation
let document: Document
let operations: [string, string, Operation][]
beforeAll(async () => {
  hopper = await openInstallation(openEmbedded, {
    ingestUrl: 'https://in.example',
    trackerScript: () => ({ hash: 'aa', integrity: 'sha384-A' }),
  })
  document = (await hopper.get('/openapi.json', {})).body
  operations = Object.entries(document.paths).flatMap(([path, { servers: _, ...item }]) =>
    Object.entries(item).map(([method, operation]) => [path, method, operation] as [string, string, Operation]),
  )
})
afterAll(() => hopper.close())

test('each operation declares its access, its errors and its server', () => {
  const schemes = ['bearer', 'basic', 'header', 'parameter', 'cookie', 'sharedLink']
  expect(Object.keys(document.components.securitySchemes)).toEqual(schemes)
  expect(document.servers).toEqual([{ url: 'http://127.0.0.1:8080' }])
  expect(document.paths['/v1/events']!.servers).toEqual([{ url: 'https://in.example' }])
  for (const [path, method, { security, responses }] of operations) {
    expect([path, method, Array.isArray(security)]).toEqual([path, method, true])
    for (const scheme of security!.flatMap((one) => Object.keys(one)))
      expect(document.components.securitySchemes).toHaveProperty(scheme)
    const errors = Object.entries(responses).filter(([status]) => Number(status) >= 400)
    expect([path, method, errors.length >= 3]).toEqual([path, method, true])
    if (security!.length > 0) expect(responses).toHaveProperty('401')
    for (const [status, { content }] of errors) {
      if (path === '/ready') continue
      expect([path, method, status, JSON.stringify(content!['application/json']!.schema)]).toEqual([
        path,
        method,
        status,
        expect.stringContaining('#/components/schemas/Error'),
      ])
    }
  }
})

test('bodies and answers are named components, references resolve, and CSV is a media type', () => {
  const names = new Set(Object.keys(document.components.schemas))
  expect(
    [
      'FunnelQuery',
      'FunnelAnswer',
      'EventQuery',
      'EventAnswer',
      'Filter',
      'Meta',
      'Error',
      'Funnel',
      'FunnelView',
      'SentFunnel',
      'EventsBody',
      'EventsAnswer',
    ].filter((name) => !names.has(name)),
  ).toEqual([])
  const text = JSON.stringify(document)
  for (const [, place, name] of text.matchAll(/"\$ref":"(#\/components\/schemas\/)?([^"]*)"/g))
    expect([place, names.has(name!)]).toEqual(['#/components/schemas/', true])
  expect(text).not.toMatch(/"\$defs"|"\$id"|x-hopper-call/)
  for (const [path, method, { requestBody, responses }] of operations) {
    for (const { schema } of Object.values(requestBody?.content ?? {}))
      expect([path, method, schema.$ref]).toEqual([path, method, expect.any(String)])
    const content = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content ?? {}
    if (content['application/json'] && path.startsWith('/api'))
      expect([path, method, JSON.stringify(content['application/json'].schema)]).toEqual([
        path,
        method,
        expect.stringMatching(/^\{"\$ref"/),
      ])
  }
  expect(Object.keys(document.paths['/api/v1/apps/{app}/keys']!['get']!.responses['200']!.content!)).toEqual([
    'application/json',
    'text/csv',
  ])
})

test('each example matches the schema of its body', () => {
  const schemas: Record<string, unknown> = {
    ...contracts,
    ...administration,
    ...deadLetters,
    ...installing,
    ...mcp,
    ...secondFactor,
  }
  for (const [name, example] of Object.entries(examples))
    expect([name, faultsIn(schemas[name] as never, example)]).toEqual([name, []])
  const given = operations.flatMap(([, , { requestBody }]) =>
    Object.values(requestBody?.content ?? {}).map(({ example }) => example !== undefined),
  )
  expect(given).toEqual(given.map(() => true))
})

/** Statements against the generated types; those after @ts-expect-error must not compile. */
const program = `
import createClient from 'openapi-fetch'
import type { paths, components } from './hopper.ts'
const client = createClient<paths, 'application/json'>({ baseUrl: 'http://127.0.0.1' })
const range = { from: '2026-01-01', to: '2026-01-31' }
const params = { path: { app: 'shop' } }
const steps = [{ name: 'a', filters: [{ type: 'eq' as const, key: 'a', value: 1 }] }]
const body = { ...range, steps }
const { data, error } = await client.POST('/api/v1/apps/{app}/funnels/query', { params, body })
const counts: number[] = data?.steps.map(({ count }) => count) ?? []
const code: string | undefined = error?.error.code
const views = await client.GET('/api/v1/apps/{app}/pages/views', { params: { path: { app: 'shop' }, query: range } })
const first: components['schemas']['PageViews']['rows'][number] | undefined = views.data?.rows[0]
const events = [{ type: 'custom' as const, name: 'x', data: { a: 1 } }]
const sent = await client.POST('/v1/events', { body: { device_id: 'd', events } })
export const seen = [counts, code, first?.url, sent.data?.accepted]
// @ts-expect-error a window is a number
await client.POST('/api/v1/apps/{app}/funnels/query', { params, body: { ...range, window_ms: '1' } })
// @ts-expect-error no such parameter
await client.GET('/api/v1/apps/{app}/pages/views', { params: { path: { app: 'shop' }, query: { form: '2026-01-01' } } })
`

const compilerOptions = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  target: 'esnext',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  lib: ['esnext', 'dom', 'dom.iterable'],
  types: [],
  allowImportingTsExtensions: true,
}

test('a client generated from the description compiles', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-client-'))
  try {
    await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(dir, 'node_modules'))
    await writeFile(join(dir, 'package.json'), '{"type":"module"}')
    await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    await writeFile(join(dir, 'hopper.ts'), astToString(await openapiTS(JSON.stringify(document))))
    await writeFile(join(dir, 'program.ts'), program)
    const compiler = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'))
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', dir]).catch(
      (error: { stdout: string }) => error,
    )
    expect(stdout).toBe('')
  } finally {
    await rm(dir, { recursive: true })
  }
})

type Calls = {
  [path: string]: { get: { responses: { 200: { content: { 'application/json': Record<string, unknown> } } } } }
}

/** Paths of calls that need more than an app and a range, or do not answer with JSON. */
const words =
  'xpath|live|changes|picker|stream|export|login|schemas|metrics|hopper|health|ready|config|members|forgets|' +
  'dead-letters|processes|shared'
const other = new RegExp(`${words}|me$|me.(sessions|second-factor)$|v1.link$|events$|^.ws$`)

test('a generated client makes real calls: reads, the example query, and refused ones', async () => {
  await hopper.app.listen(0, '127.0.0.1')
  const client = createClient<Calls>({
    baseUrl: await hopper.app.getUrl(),
    headers: { authorization: `Bearer ${keys.read}` },
  })
  const params = { path: { app: 'shop' } }
  const call = client as unknown as Record<
    'GET' | 'POST',
    (
      path: string,
      init: object,
    ) => Promise<{ data?: Record<string, unknown>; error?: { error: { code: string } }; response: Response }>
  >
  for (const [path, method, { parameters = [], requestBody }] of operations) {
    const isQuery = /query$/.test(path) && method === 'post'
    const needsMore = parameters.some(({ in: place, name }) => place === 'path' && name !== 'app') || other.test(path)
    if (!isQuery && (method !== 'get' || needsMore)) continue
    const query = {
      ...(path.endsWith('agents') ? { by: 'browser' } : {}),
      ...(path.endsWith('sources') ? { by: 'channel' } : {}),
      ...(path.endsWith('durations') ? { xpath: '//b' } : {}),
      ...(path.endsWith('keys') ? { prefix: '' } : {}),
    }
    const { data, error, response } = await call[method === 'get' ? 'GET' : 'POST'](path, {
      params: { ...params, query },
      ...(isQuery ? { body: requestBody!.content['application/json']!.example } : {}),
    })
    expect([path, error, response.status, typeof data]).toEqual([path, undefined, 200, 'object'])
  }
  const refused = await call.POST('/api/v1/apps/{app}/funnels/query', { params, body: { windowMs: 1 } })
  expect([refused.response.status, refused.error!.error.code]).toEqual([400, 'HOP_PARAM_INVALID'])
})
