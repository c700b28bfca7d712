import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { send, type Sent } from './http-request.fixture.ts'
import { keys, provision } from './organizations.fixture.ts'
import { probedServer, type ProbedServer } from './probed-server.fixture.ts'

const SEED = 42
const ANSWER_MS_MAX = 2_000
/** A busy machine delays a health check as well. */
const NOISE = 5
const RSS_GROWTH_BYTES_MAX = 600_000_000
const CASES_MIN = 800

let server: ProbedServer
let cases = 0
let rssBefore = 0

const rss = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.service.pid}/status`, 'utf8'))![1]) * 1_024
const write = { 'x-api-key': keys.shopWrite, 'content-type': 'application/json' }
const read = { 'x-api-key': keys.shopRead, 'content-type': 'application/json' }

beforeAll(async () => {
  server = await probedServer(provision)
  rssBefore = rss()
}, 90_000)
afterAll(() => server.dispose())

const alive: Sent = { method: 'GET', path: '/healthcheck' }

/**
 * Sends requests; each must be answered in time, and never by a failure. On a busy machine a harmless request of the
 * same kind takes its time as well.
 */
async function sendAll(requests: readonly Sent[], harmless: Sent = alive): Promise<void> {
  // the first of a kind starts threads and compiles
  await send(server.service.url, harmless)
  for (const request of requests) {
    cases++
    let answer = await send(server.service.url, request)
    if (answer.ms > ANSWER_MS_MAX) {
      const control = await send(server.service.url, harmless)
      const bound = Math.max(ANSWER_MS_MAX, NOISE * control.ms)
      if (answer.ms > bound) answer = await send(server.service.url, request)
      if (answer.ms > bound) throw new Error(`${request.method} ${request.path} took ${answer.ms} ms`)
    }
    const isFailure = answer.status >= 500 && answer.status !== 503
    if (isFailure)
      throw new Error(`${request.method} ${request.path}: ${answer.status} ${answer.text}\n${String(request.body)}`)
  }
}

/** Sends bytes on a connection of its own; resolves with the response when it closed, or after a bounded time. */
async function sendRaw(bytes: string | Buffer, waitMs = 150): Promise<string> {
  cases++
  const socket = connect(Number(new URL(server.service.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(bytes)
  await Promise.race([once(socket, 'close'), new Promise((next) => setTimeout(next, waitMs))])
  socket.destroy()
  expect(text).not.toMatch(/^HTTP\/1\.1 5(?!03)/)
  return text
}

const ingestPaths = [
  '/v1/events',
  '/v1/track',
  '/v1/identify',
  '/v1/batch',
  '/v1/page',
  '/events',
  '/batch/',
  '/capture/',
]
const queryPaths = ['query', 'funnels/query', 'people/query', 'elements/query', 'retention/query'].map(
  (path) => `/api/v1/apps/shop/${path}`,
)

const odd = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '\0',
  '\u202e',
  '\ufeff',
  '\u{1f600}',
  '=1+1',
  '+cmd|x',
  '@SUM(1)',
  '-2+3',
  '\t=1',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'; DROP TABLE events;--",
  '../../etc/passwd',
  '%00',
  '${7*7}',
  '{{7*7}}',
  'NaN',
  'e\u0301'.repeat(500),
  'a'.repeat(40_000),
  '\ud800',
  'http://[::1',
  'javascript:alert(1)',
  '//evil.example',
  '9'.repeat(400),
  '1e309',
  '-0',
  'null',
]

it('JSON of any shape in the place of events', async () => {
  const values = fc.sample(fc.jsonValue({ maxDepth: 4 }), { numRuns: 200, seed: SEED })
  await sendAll(
    values.map((value, index) => ({
      method: index % 7 === 0 ? 'PUT' : 'POST',
      path: index % 7 === 0 ? '/events' : ingestPaths[index % ingestPaths.length]!,
      headers: write,
      body: JSON.stringify(index % 2 === 0 ? value : { events: [value], batch: [value], device_id: 'd', data: value }),
    })),
  )
}, 120_000)

it('odd texts in every field of an event, in names, values and keys', async () => {
  const fields = [
    'type',
    'name',
    'device_id',
    'user_id',
    'event_id',
    'session_id',
    'timestamp',
    'target',
    'current_url',
    'to',
  ]
  const bodies = odd.flatMap((text, index) => [
    {
      device_id: 'd',
      events: [{ type: 'custom', name: 'n', data: { [text]: text }, [fields[index % fields.length]!]: text }],
    },
    {
      device_id: text,
      session_id: text,
      sent_at: text,
      events: [{ type: 'url_change', from: text, to: text, elapsed_time: 1 }],
    },
    {
      device_id: 'd',
      events: [{ type: 'custom', name: text, timestamp: [0, -1, 1e15, 9e18, '9999-12-31', ''][index % 6] }],
    },
  ])
  await sendAll(
    bodies.map((body) => ({ method: 'POST', path: '/v1/events', headers: write, body: JSON.stringify(body) })),
  )
}, 120_000)

it('floods of keys, dates, urls and names in one request', async () => {
  const many = (count: number, event: (index: number) => object): string =>
    JSON.stringify({ device_id: 'd', events: Array.from({ length: count }, (_, index) => event(index)) })
  const bodies = [
    many(500, (index) => ({ type: 'custom', name: 'n', data: { [`k${index}`]: index, [`l${index}`]: index } })),
    many(1_000, (index) => ({ type: 'custom', name: 'n', timestamp: 946_684_800_000 + index * 86_400_000 })),
    many(1_000, (index) => ({
      type: 'url_change',
      from: `/${index}`,
      to: `https://h${index}.example/${index}?q=${index}`,
      elapsed_time: 1,
    })),
    many(1_000, (index) => ({ type: 'custom', name: `name${index}` })),
    many(1_000, (index) => ({ type: 'custom', name: 'n', device_id: `d${index}`, user_id: `u${index}` })),
    many(1_001, () => ({ type: 'custom', name: 'n' })),
  ]
  await sendAll(bodies.map((body) => ({ method: 'POST', path: '/v1/events', headers: write, body })))
}, 120_000)

it('queries with odd keys, values, ranges, regular expressions and trees of filters', async () => {
  const patterns = [
    '(a+)+$',
    '(',
    '[',
    '\\',
    '(?=a)',
    '(?<n>a)\\k<n>',
    'a{1000}',
    '((a{9}){9}){9}',
    '\\p{L}+',
    '.*'.repeat(200),
    '\0',
  ]
  const trees = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.record({
        type: fc.constantFrom('eq', 'in', 'all', 'gt', 'x'),
        key: fc.constantFrom(...odd),
        value: fc.jsonValue({ maxDepth: 1 }),
      }),
      fc.record({ type: fc.constant('not'), filter: tie('tree') }),
      fc.record({ type: fc.constant('or'), filters: fc.array(tie('tree'), { maxLength: 4 }) }),
    ),
  })).tree
  const filters = [
    ...fc.sample(trees, { numRuns: 120, seed: SEED }),
    ...patterns.map((value) => ({ type: 'regex', key: 'name', value })),
    ...odd.map((value) => ({ type: 'contains', key: value, value })),
  ]
  const plain = { start: '2026-01-01', end: '2026-01-02', data: [{ name: 'a', filters: [] }] }
  const harmless = { method: 'POST', path: queryPaths[0]!, headers: read, body: JSON.stringify(plain) }
  const ranges = [
    ['2026-01-01', '2026-01-02'],
    ['0', '9'],
    [-1e18, 1e18],
    ['9999-12-31', '0001-01-01'],
    ['x', {}],
  ]
  await sendAll(
    filters.map((filter, index) => {
      const [from, to] = ranges[index % 4 === 0 ? index % ranges.length : 0]!
      const sets = { data: [{ name: 'a', filters: [filter] }], start: from, end: to }
      const steps = { steps: [{ name: 'a', filters: [filter] }], from, to }
      const path = queryPaths[index % 2]!
      return { method: 'POST', path, headers: read, body: JSON.stringify(index % 2 === 0 ? sets : steps) }
    }),
    harmless,
  )
}, 180_000)

it('addresses and parameters of every kind', async () => {
  const report = '/api/v1/apps/shop/traffic'
  const parameters = odd.flatMap((text) => {
    const encoded = encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '')).slice(0, 4_000)
    return [
      `${report}?from=${encoded}`,
      `${report}?by=${encoded}&cursor=${encoded}`,
      `/api/v1/apps/${encoded}/traffic`,
      `/api/v1/apps/shop/persons/${encoded}`,
      `/session/${encoded}`,
      `/${encoded}`,
    ]
  })
  const paths = [
    '/..%2f..%2fetc/passwd',
    '/demo/..%2f..%2fprovision.json',
    '/assets/%2e%2e/index.html',
    '//evil.example/',
    '/%zz',
    '/%c0%ae',
    '/api/v1/apps/shop/../foreign/traffic',
    '/api/v1/apps/shop%2f..%2fforeign/traffic',
    '/login?token=%22%3E%3Cscript%3E',
    '/?'.padEnd(9_000, 'a'),
    '/'.padEnd(9_000, 'a'),
    '/login?next=//evil.example',
    '/demo//evil.example/..',
  ]
  await sendAll([...parameters, ...paths].map((path) => ({ method: 'GET', path, headers: read })))
}, 120_000)

it('compressed bodies that expand, end early or are something else', async () => {
  const zeros = Buffer.alloc(100_000_000)
  const bombs = [
    gzipSync(zeros),
    brotliCompressSync(zeros.subarray(0, 20_000_000)),
    deflateSync(zeros),
    gzipSync(gzipSync(zeros)),
  ]
  const broken = [gzipSync('{"events":[]}').subarray(0, 12), Buffer.from('not gzip'), Buffer.alloc(0)]
  const encodings = ['gzip', 'br', 'deflate', 'x-gzip', 'gzip, gzip', 'zstd', 'identity']
  const requests = [...bombs, ...broken].flatMap((body) =>
    encodings.map((encoding) => ({
      method: 'POST',
      path: '/v1/events',
      headers: { ...write, 'content-encoding': encoding },
      body,
    })),
  )
  const posthog = bombs.map((body) => ({ method: 'POST', path: '/batch/?compression=gzip-js', headers: write, body }))
  await sendAll([...requests, ...posthog])
}, 120_000)

it('bytes that are not HTTP, or that are ambiguous', async () => {
  const post = 'POST /v1/events HTTP/1.1\r\nHost: x\r\n'
  const inputs = [
    `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n`,
    `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
    `${post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx`,
    `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${post}Content-Length: -1\r\n\r\n`,
    `${post}Content-Length: 99999999999999999999\r\n\r\n`,
    `${post}X: ${'a'.repeat(20_000)}\r\n\r\n`,
    `${post}${Array.from({ length: 3_000 }, (_, index) => `X-${index}: a\r\n`).join('')}\r\n`,
    `${post}X:\0\r\n\r\n`,
    'GET / HTTP/0.9\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01',
    '\r\n\r\n\r\n',
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
    'GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500),
  ]
  const random = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 400 }), { numRuns: 60, seed: SEED })
  for (const input of [...inputs, ...random.map((bytes) => Buffer.from(bytes))]) await sendRaw(input)
}, 120_000)

it('frames of a WebSocket', async () => {
  const head = (key: string): string =>
    `GET /ws?key=${key}&sessionId=11111111-1111-4111-8111-111111111111 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n` +
    'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  const frame = (first: number, payload: string | Buffer): Buffer => {
    const data = Buffer.from(payload)
    const length =
      data.length < 126 ? Buffer.from([0x80 | data.length]) : Buffer.from([0xfe, data.length >> 8, data.length & 255])
    return Buffer.concat([Buffer.from([first]), length, Buffer.alloc(4), data])
  }
  const texts = [
    '',
    '{',
    '[]',
    '[[[[',
    'null',
    '"x"',
    '[{"type":"EVENT"}]',
    '[{"type":"__proto__"}]',
    '[{"type":"EVENT","timestamp":1e300,"name":{}}]',
    '['.repeat(30_000),
    JSON.stringify(Array.from({ length: 900 }, () => ({ type: 'EVENT', timestamp: 1, name: 'n' }))),
    '\0',
  ]
  const frames = [
    ...texts.map((text) => frame(0x81, text)),
    ...texts.map((text) => frame(0x82, text)),
    ...[0x83, 0x8b, 0xc1, 0xf1, 0x01, 0x80, 0x09].map((first) => frame(first, 'x')),
    frame(0x81, Buffer.from([0xff, 0xfe])),
    frame(0x88, Buffer.from([0x03])),
    frame(0x89, 'p'.repeat(126)),
    Buffer.from([0x81, 0x01, 0x78]),
    Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.concat(Array.from({ length: 2_000 }, () => frame(0x89, 'ping'))),
    Buffer.concat(Array.from({ length: 500 }, () => frame(0x01, 'x'))),
  ]
  for (const bytes of frames) await sendRaw(Buffer.concat([Buffer.from(head(keys.shopWrite)), bytes]))
  for (const key of [keys.shopRead, keys.admin, 'hw_nobody', ''])
    expect(await sendRaw(head(key))).toMatch(/^HTTP\/1\.1 40[13]/)
}, 120_000)

it('hundreds of silent connections', async () => {
  const { port } = new URL(server.service.url)
  const sockets = Array.from({ length: 500 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined))
  try {
    cases += sockets.length
    await sendAll([{ method: 'GET', path: '/healthcheck' }])
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}, 60_000)

it('has had enough cases, and is still ready, small, and apart from other apps', async () => {
  expect(cases).toBeGreaterThan(CASES_MIN + 500)
  expect(server.service.running).toBe(true)
  expect((await fetch(`${server.service.url}/ready`)).status).toBe(200)
  expect(rss() - rssBefore).toBeLessThan(RSS_GROWTH_BYTES_MAX)
  for (const [app, key] of [
    ['blog', keys.blogRead],
    ['foreign', keys.foreignRead],
  ]) {
    const answer = await send(server.service.url, {
      method: 'GET',
      path: `/api/v1/apps/${app}/events`,
      headers: { 'x-api-key': key! },
    })
    expect([answer.status, (JSON.parse(answer.text) as { events: unknown[] }).events]).toEqual([200, []])
  }
  const errors = server.service.output
    .split('\n')
    .filter((line) => line.includes('"level":50') || line.includes('"level":60'))
  expect(errors).toEqual([])
}, 60_000)
