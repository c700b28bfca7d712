import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kinds, lines, openServer, sendRaw, type OpenServer } from './servers.fixture.ts'

const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const UNKNOWN = ['TRACE', 'PROPFIND', 'PURGE', 'M-SEARCH']

/** Records the methods of each route, except of those whose only answer is a refusal. */
function recorded(server: FastifyInstance): { readonly url: string; readonly methods: string[] }[] {
  const routes: { url: string; methods: string[] }[] = []
  server.addHook('onRoute', ({ url, method, config }) => {
    if (url === '*' || (config as { refuses?: boolean } | undefined)?.refuses) return
    routes.push({ url, methods: [method].flat() })
  })
  return routes
}

/** Returns the methods of each path. Routes with parameters also match paths of other routes. */
function byPath(routes: ReturnType<typeof recorded>): [string, Set<string>][] {
  const isTaken = (url: string, path: string): boolean => {
    const [parts, own] = [url.split('/'), path.split('/')]
    return parts.length === own.length && parts.every((part, at) => /^[:*]/.test(part) || part === own[at])
  }
  const paths = new Set(routes.map(({ url }) => url.replace(/\*$/, 'any').replaceAll(/:\w+/g, 'any')))
  return [...paths].map((path) => [
    path,
    new Set(routes.flatMap(({ url, methods }) => (isTaken(url, path) ? methods : []))),
  ])
}

describe.each(kinds)('%s', (kind) => {
  let opened: OpenServer
  let paths: [string, Set<string>][]
  beforeAll(async () => {
    let routes: ReturnType<typeof recorded> = []
    opened = await openServer(kind, (server) => (routes = recorded(server)))
    paths = byPath(routes)
  }, 60_000)
  afterAll(() => opened.close())

  const send = async (method: string, url: string): Promise<[number, unknown, string]> => {
    const { statusCode, headers, body } = await opened.server.inject({ method: method as 'GET', url })
    return [statusCode, headers.allow, body.includes('HOP_METHOD') ? 'HOP_METHOD' : body]
  }

  test('every method that a path does not take is answered 405 with those that it takes', async () => {
    expect(paths.length).toBeGreaterThan(kind === 'api' ? 80 : 40)
    for (const [path, methods] of paths) {
      const allow = ORDER.filter((method) => methods.has(method) || method === 'OPTIONS').join(', ')
      for (const method of [...ORDER, ...UNKNOWN].filter((one) => one !== 'OPTIONS' && !methods.has(one))) {
        const body = method === 'HEAD' ? '' : 'HOP_METHOD'
        expect([method, path, ...(await send(method, path))]).toEqual([method, path, 405, allow, body])
      }
    }
  })

  test('OPTIONS is answered with the methods of the path', async () => {
    for (const [path, methods] of paths) {
      const allow = ORDER.filter((method) => methods.has(method) || method === 'OPTIONS').join(', ')
      expect([path, ...(await send('OPTIONS', path))]).toEqual([path, 204, allow, ''])
    }
    expect((await send('OPTIONS', '/nothing/here'))[0]).toBe(404)
  })

  test('OPTIONS * is answered with the methods of the server', async () => {
    const { status, head } = await sendRaw(opened.port, lines('OPTIONS * HTTP/1.1', 'Host: x', 'Connection: close'))
    const allow = ORDER.filter((method) => method === 'OPTIONS' || paths.some(([, methods]) => methods.has(method)))
    expect([status, /^allow: (.*)$/im.exec(head)?.[1]]).toEqual([204, allow.join(', ')])
  })

  test('HEAD is answered as GET is, without the body', async () => {
    for (const [path, methods] of paths) {
      if (!methods.has('GET')) continue
      const [get, head] = [await opened.server.inject(path), await opened.server.inject({ method: 'HEAD', url: path })]
      expect([path, head.statusCode, head.body]).toEqual([path, get.statusCode, ''])
    }
  })

  test('a method that HTTP does not know is answered with the methods of the path', async () => {
    const { status, head } = await sendRaw(opened.port, lines('FOO /healthcheck HTTP/1.1', 'Host: x'))
    expect([status, /^allow: (.*)$/im.exec(head)?.[1]]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })
})
