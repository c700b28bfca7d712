import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { createApi } from '@hopper/api'
import { ingestPlugin } from '@hopper/ingest'
import { openEmbedded } from '@hopper/storage/embedded'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerParserError } from './protocol-errors.ts'
import { createServer } from './server.ts'

type Kind = 'standalone' | 'api' | 'ingest'
const kinds: readonly Kind[] = ['standalone', 'api', 'ingest']
const ports = {} as Record<Kind, number>
const closing: (() => Promise<unknown>)[] = []

/** Opens one of the three servers, assembled as its command does. */
async function open(kind: Kind): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-protocol-'))
  const storage = await openEmbedded({ dir, lanes: 2 })
  const { log, registry, secrets, reader, writer, lanes } = storage
  const health = (): ReturnType<typeof storage.health> => storage.health()
  const [logger, metrics] = [pino({ level: 'silent' }), new Registry()]
  const server = createServer(logger, 0)
  if (kind !== 'api')
    await server.register(ingestPlugin, {
      log,
      registry,
      secrets,
      health,
      metrics,
      ...(kind === 'ingest' ? { answersUnknownPaths: true } : {}),
    })
  const options = {
    log,
    reader,
    writer,
    lanes,
    registry,
    secrets,
    health,
    mode: 'standalone',
    publicUrl: 'http://127.0.0.1',
    metrics,
    logger,
    operationRoutes: kind === 'api',
  } as const
  const api = kind === 'ingest' ? undefined : await createApi(options, server)
  await server.listen({ host: '127.0.0.1', port: 0 })
  closing.push(async () => {
    await (api ?? server).close()
    await storage.close()
    await rm(dir, { recursive: true })
  })
  return (server.server.address() as AddressInfo).port
}

beforeAll(async () => {
  for (const kind of kinds) ports[kind] = await open(kind)
}, 60_000)
afterAll(() => Promise.all(closing.map((close) => close())))

interface Answer {
  status: number
  head: string
  code: string | undefined
}

/** Sends raw bytes. The connection is closed by the server, or by the test once an answer has arrived. */
function raw(kind: Kind, request: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(ports[kind], '127.0.0.1', () => socket.write(request))
    const finish = (): void => {
      const [head = '', body = ''] = text.split('\r\n\r\n')
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
      const json = /^content-type: application\/json/im.test(head)
        ? (JSON.parse(body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')) as { error?: { code: string; message: string } })
        : {}
      if (json.error) expect(json.error.message.length).toBeGreaterThan(10)
      resolve({ status, head, code: json.error?.code })
    }
    socket.on('data', (data) => {
      text += data.toString()
      const length = /content-length: (\d+)/i.exec(text)?.[1]
      if (length !== undefined && Buffer.byteLength(text.split('\r\n\r\n')[1] ?? '') >= Number(length)) socket.end()
    })
    socket
      .on('close', finish)
      .on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? finish() : reject(error)))
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer: ${text}`)))
  })
}

const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`
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
