import { PassThrough } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerParserError } from './protocol-errors.ts'
import { kinds, lines, openServer, sendRaw, type Answer, type Kind, type OpenServer } from './servers.fixture.ts'

const servers = {} as Record<Kind, OpenServer>
beforeAll(async () => {
  for (const kind of kinds) servers[kind] = await openServer(kind)
}, 60_000)
afterAll(() => Promise.all(Object.values(servers).map((server) => server.close())))

const raw = (kind: Kind, request: string | Buffer): Promise<Answer> => sendRaw(servers[kind].port, request)
const get = (path: string, ...headers: string[]): string => lines(`GET ${path} HTTP/1.1`, 'Host: x', ...headers)

test.each(kinds)(
  '%s: parser errors have the shape of every other error, and the server closes the connection',
  async (kind) => {
    const cases: [string, number, string][] = [
      ['nonsense\r\n\r\n', 405, 'HOP_METHOD'],
      [lines('FOO / HTTP/1.1', 'Host: x'), 405, 'HOP_METHOD'],
      ['\x16\x03\x01\x02\x00\x01\x00', 405, 'HOP_METHOD'],
      [lines('GET / HTTP/9.9', 'Host: x'), 400, 'HOP_REQUEST_INVALID'],
      [lines('GET / HTTP/1.1', 'Host x'), 400, 'HOP_REQUEST_INVALID'],
      [get('/', 'X-A: \x01'), 400, 'HOP_REQUEST_INVALID'],
      [get('/', `X-A: ${'a'.repeat(20_000)}`), 431, 'HOP_HEADERS_TOO_LARGE'],
      [get(`/${'a'.repeat(20_000)}`), 414, 'HOP_URL_TOO_LONG'],
      [get('/', ...Array.from({ length: 2_000 }, (_, i) => `X-${i}: aaaaaaaa`)), 431, 'HOP_HEADERS_TOO_LARGE'],
      [
        lines('POST /v1/events HTTP/1.1', 'Host: x', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
        400,
        'HOP_REQUEST_INVALID',
      ],
      [lines('POST /v1/events HTTP/1.1', 'Host: x', 'Content-Length: -5'), 400, 'HOP_REQUEST_INVALID'],
      [
        lines('POST /v1/events HTTP/1.1', 'Host: x', 'Content-Length: 5', 'Content-Length: 6'),
        400,
        'HOP_REQUEST_INVALID',
      ],
      [lines('CONNECT x:1 HTTP/1.1', 'Host: x'), 405, 'HOP_METHOD'],
    ]
    for (const [request, status, code] of cases) {
      const answer = await raw(kind, request)
      expect([request.slice(0, 60), answer.status, answer.code]).toEqual([request.slice(0, 60), status, code])
      expect(answer.head).toMatch(/connection: close/i)
      if (status === 405) expect(answer.head).toMatch(/^allow: GET, /im)
    }
  },
)

test.each(kinds)(
  '%s: a request that offers another protocol, as clients of Java do, is answered as HTTP',
  async (kind) => {
    const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAB']
    expect((await raw(kind, get('/healthcheck', ...offer, 'Content-Length: 0'))).status).toBe(200)
    const post = lines(
      'POST /v1/events HTTP/1.1',
      'Host: x',
      ...offer,
      'Content-Length: 2',
      'X-Api-Key: hw_nobody_0123456789',
    )
    const answer = await raw(kind, `${post}{}`)
    expect([answer.status, answer.code]).toEqual(kind === 'api' ? [404, 'HOP_NOT_FOUND'] : [401, 'HOP_KEY_UNKNOWN'])
  },
)

test.each(kinds)('%s: a WebSocket to an unknown path is refused as any request', async (kind) => {
  const answer = await raw(
    kind,
    get(
      '/nothing',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  )
  expect([answer.status, answer.code]).toEqual([404, 'HOP_NOT_FOUND'])
})

test.each(kinds)('%s: errors of the router and the server have the same shape', async (kind) => {
  const cases: [string, number, string][] = [
    [get('/%zz'), 400, 'HOP_REQUEST_INVALID'],
    [get('/api/v1/apps/%ff'), 400, 'HOP_REQUEST_INVALID'],
    [lines('GET /healthcheck HTTP/1.1'), 400, 'HOP_REQUEST_INVALID'],
    [
      lines('POST /v1/events HTTP/1.1', 'Host: x', 'Expect: 200-ok', 'Content-Length: 2') + '{}',
      417,
      'HOP_EXPECTATION',
    ],
    [get('/nothing'), 404, 'HOP_NOT_FOUND'],
    [lines('GET /nothing HTTP/1.0'), 404, 'HOP_NOT_FOUND'],
    [lines('PROPFIND /nothing HTTP/1.1', 'Host: x'), 404, 'HOP_NOT_FOUND'],
    [lines('PURGE /healthcheck HTTP/1.1', 'Host: x'), 405, 'HOP_METHOD'],
    [lines('POST /healthcheck HTTP/1.1', 'Host: x', 'Content-Length: 0'), 405, 'HOP_METHOD'],
    [lines('TRACE /metrics HTTP/1.1', 'Host: x'), 405, 'HOP_METHOD'],
    [lines('DELETE /ready HTTP/1.1', 'Host: x', 'Content-Type: application/json'), 405, 'HOP_METHOD'],
    ...(kind === 'ingest'
      ? []
      : ([
          [get(`/api/v1/apps/${'a'.repeat(1_100)}`), 414, 'HOP_URL_TOO_LONG'],
          [lines('PUT /api/v1/me HTTP/1.1', 'Host: x', 'Content-Length: 0'), 405, 'HOP_METHOD'],
        ] as [string, number, string][])),
    ...(kind === 'api'
      ? []
      : ([
          [lines('PUT /v1/events HTTP/1.1', 'Host: x', 'Content-Length: 0'), 405, 'HOP_METHOD'],
          [lines('POST /v1/config HTTP/1.1', 'Host: x', 'Content-Length: 0'), 405, 'HOP_METHOD'],
        ] as [string, number, string][])),
  ]
  for (const [request, status, code] of cases) {
    const answer = await raw(kind, request)
    expect([request.slice(0, 60), answer.status, answer.code]).toEqual([request.slice(0, 60), status, code])
    if (status === 405) expect(answer.head).toMatch(/^allow: \w+/im)
  }
  expect(await raw(kind, lines('GET /healthcheck HTTP/1.0'))).toMatchObject({ status: 200 })
})

test.each(kinds)('%s: takes one valid Host header', async (kind) => {
  const refused = [
    ['Host: x', 'Host: x'],
    ['Host: x', 'Host: evil.example'],
    ['host: x', 'X-A: b', 'HOST: y'],
    ['Host: a b'],
    ['Host: user@x'],
    ['Host: x/path'],
    ['Host: x, y/'],
    ['Host: x:port'],
    ['Host: [::1'],
    ['Host: <script>'],
    ['Host: \xe4.example'],
  ]
  for (const headers of refused)
    for (const version of ['1.1', '1.0']) {
      const answer = await raw(kind, lines(`GET /healthcheck HTTP/${version}`, ...headers))
      expect([headers, answer.status, answer.code]).toEqual([headers, 400, 'HOP_REQUEST_INVALID'])
    }
  for (const host of ['x', 'x:80', 'a_b.example', '127.0.0.1:8080', '[::1]:8080', '[2001:db8::1]', 'x:', '']) {
    const answer = await raw(kind, lines('GET /healthcheck HTTP/1.1', `Host: ${host}`))
    expect([host, answer.status]).toEqual([host, 200])
  }
})

test.each(kinds)('%s: the body does not matter for an unknown path', async (kind) => {
  const gzip = gzipSync('{"a":1}')
  const bodies: [string, Buffer][] = [
    ['Content-Type: application/json', Buffer.from('{"a":')],
    ['Content-Type: application/json\r\nContent-Encoding: gzip', gzip],
    ['Content-Type: application/json\r\nContent-Encoding: gzip', gzip.subarray(0, 9)],
    ['Content-Type: application/json\r\nContent-Encoding: compress', Buffer.from('{}')],
    ['Content-Type: application/xml', Buffer.from('<a/>')],
    ['X-No: type', Buffer.from('x')],
    ['Content-Type: ;;;', Buffer.from('x')],
  ]
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const [type, body] of bodies) {
      const answer = await raw(
        kind,
        Buffer.concat([
          Buffer.from(lines(`${method} /nothing/here HTTP/1.1`, 'Host: x', type, `Content-Length: ${body.length}`)),
          body,
        ]),
      )
      expect([method, type, answer.status, answer.code]).toEqual([method, type, 404, 'HOP_NOT_FOUND'])
    }
  }
})

test('a request that times out is answered, and a disconnected client is not', async () => {
  const socket = new PassThrough()
  answerParserError({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, socket)
  const text = (await socket.toArray()).join('')
  expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
  expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ error: { code: 'HOP_REQUEST_TIMEOUT' } })
  const gone = new PassThrough()
  answerParserError({ code: 'ECONNRESET' }, gone)
  expect([gone.readableLength, gone.writableEnded]).toEqual([0, false])
})
