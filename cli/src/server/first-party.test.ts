import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provision } from '@hopper/api'
import { decodeEnvelope, type ErrorBody } from '@hopper/contracts'
import { ingestPlugin } from '@hopper/ingest'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createServer } from './server.ts'

// the thread of the log starts with the first event, which takes its time on a busy machine
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const key = 'hw_shop_0123456789abcdef'
const origin = 'https://shop.example'
const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const script = `/* the tracker */ ${'track();'.repeat(50)}`
const hash = createHash('sha256').update(script).digest('hex').slice(0, 16)

const hasNginx = spawnSync('nginx', ['-v']).error === undefined
if (!hasNginx && process.env['HOPPER_REQUIRE_ENGINES'] === '1') throw new Error('nginx is not installed')
if (!hasNginx) console.log('nginx: SKIPPED, it is not installed (Debian: nginx-light)')

/** refusals of the proxy of compose: requests that it cannot read */
const refusals = join(import.meta.dirname, '../../../deploy/proxy/refusals.conf')

const dir = mkdtempSync(join(tmpdir(), 'hopper-first-party-'))
let storage: Storage
const hoppers: FastifyInstance[] = []
const closing: (() => unknown)[] = []
/** ports of Hopper by how many proxies it trusts */
const hopperPorts: number[] = []

beforeAll(async () => {
  const trackerFile = join(dir, 'hopper.js')
  writeFileSync(trackerFile, script)
  storage = await openEmbedded({ dir: join(dir, 'data'), lanes: 2 })
  const app = { id: 'shop', name: 'Shop', write_key: key, origins: [origin] }
  await provision(storage.registry, { organizations: [{ id: 'o', name: 'O', apps: [app] }] })
  for (const trusted of [0, 1, 2]) {
    const logger = pino({ level: 'silent' })
    const server = createServer(logger, trusted)
    const { log, registry, secrets } = storage
    const health = (): ReturnType<Storage['health']> => storage.health()
    await server.register(ingestPlugin, {
      ...{ log, registry, secrets, health, logger, trackerFile, metrics: new Registry(), answersUnknownPaths: true },
    })
    await server.listen({ port: 0, host: '127.0.0.1' })
    hoppers.push(server)
    hopperPorts.push((server.server.address() as AddressInfo).port)
  }
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
  await Promise.all(hoppers.map((server) => server.close()))
  await storage.close()
  rmSync(dir, { recursive: true })
})

/** A port of this machine, known once a server is there. */
class FreePort {
  number = 0
  async find(): Promise<void> {
    const server = createHttpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.number = (server.address() as AddressInfo).port
    server.close()
    await once(server, 'close')
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends a request to a port of this machine, from an address of this machine. */
async function call(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, address = '127.0.0.1' }: Partial<Sent> = {},
): Promise<Answer> {
  const sent = request({
    ...{ port, path, method, localAddress: address, host: '127.0.0.1' },
    headers: { 'user-agent': agent, ...headers },
  })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return { status: answer.statusCode!, headers: answer.headers, text }
}
interface Sent {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string
  /** of the visitor */
  readonly address: string
}

let events = 0
/** Sends a cookieless event as the tracker of a page does; returns its device. */
async function deviceOf(port: number, address: string, headers: Record<string, string> = {}): Promise<string> {
  const event_id = `e${events++}`
  const event = { type: 0, event_id, timestamp: Date.now(), seq: 0, name: 'seen' }
  const answer = await call(port, `/stats/v1/events?key=${key}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain;charset=UTF-8', origin, ...headers },
    body: JSON.stringify({ cookieless: true, sent_at: Date.now(), events: [event] }),
    address,
  })
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([202, '*'])
  const messages = await Promise.all([0, 1].map((lane) => storage.log.read(lane, 0, 100_000)))
  const found = messages.flat().map(({ value }) => decodeEnvelope(value))
  return found.find((envelope) => envelope.events[0]?.event_id === event_id)!.device_id
}

/** Requests of a page that serves Hopper below a path of its own host, through a proxy at a port. */
function servesThePage(port: () => number): void {
  it('gets the script by any name, and one version of it by its hash', async () => {
    for (const path of [`/stats/site.js?key=${key}`, `/stats/any.${hash}.js`]) {
      const answer = await call(port(), path)
      expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([
        200,
        script,
        'text/javascript; charset=utf-8',
      ])
    }
    const { etag } = (await call(port(), `/stats/site.js?key=${key}`)).headers
    const again = await call(port(), `/stats/site.js?key=${key}`, { headers: { 'if-none-match': etag! } })
    expect(again.status).toBe(304)
  })

  it('gets the configuration', async () => {
    const answer = await call(port(), `/stats/v1/config?key=${key}`)
    expect(JSON.parse(answer.text)).toEqual({ funnels: [], elements: [], page: expect.any(String) as unknown })
  })

  it('reads why its events are refused', async () => {
    const post = (parameter: string, from: string): Promise<Answer> =>
      call(port(), `/stats/v1/events?key=${parameter}`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain', origin: from },
        body: '{"events":[]}',
      })
    for (const [answer, status, code] of [
      [await post('hw_revoked', origin), 401, 'HOP_KEY_UNKNOWN'],
      [await post(key, 'https://evil.example'), 403, 'HOP_ORIGIN'],
    ] as const) {
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, '*'])
      expect((JSON.parse(answer.text) as ErrorBody).error.code).toBe(code)
    }
  })

  it('has devices by the address of its visitor, whatever addresses a visitor claims', async () => {
    const device = await deviceOf(port(), '127.0.0.2')
    expect(await deviceOf(port(), '127.0.0.2')).toBe(device)
    expect(await deviceOf(port(), '127.0.0.3')).not.toBe(device)
    for (const claim of ['127.0.0.3', '127.0.0.3, 127.0.0.4', 'x, ::1, 203.0.113.9'])
      expect(await deviceOf(port(), '127.0.0.2', { 'x-forwarded-for': claim })).toBe(device)
  })
}

describe.skipIf(!hasNginx)('nginx', () => {
  const [strips, keeps, outer, compose] = [new FreePort(), new FreePort(), new FreePort(), new FreePort()]
  beforeAll(async () => {
    const ports = [strips, keeps, outer, compose]
    for (const port of ports) await port.find()
    const forward = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_http_version 1.1;'
    const site = (port: FreePort, to: string): string =>
      `server { listen 127.0.0.1:${port.number}; location /stats/ { ${forward} proxy_pass http://127.0.0.1:${to}; } }`
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(dir, name)};`,
    )
    const file = join(dir, 'nginx.conf')
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${join(dir, 'nginx.pid')}; error_log stderr warn;
       events {}
       http { access_log off; ${temporary.join(' ')}
         ${site(strips, `${hopperPorts[1]}/`)}
         ${site(keeps, `${hopperPorts[1]}`)}
         ${site(outer, `${await rewriting(hopperPorts[2]!, (path) => path)}`)}
         server { listen 127.0.0.1:${compose.number}; include ${refusals};
           location / { proxy_pass http://127.0.0.1:${hopperPorts[1]}; } } }`,
    )
    const nginx = spawn('nginx', ['-p', dir, '-c', file], { stdio: 'inherit' })
    closing.push(() => stopped(nginx))
    await Promise.all(ports.map((port) => answers(port.number)))
  })
  describe('that removes the prefix', () => servesThePage(() => strips.number))
  describe('that keeps the prefix', () => servesThePage(() => keeps.number))
  describe('in front of another proxy', () => servesThePage(() => outer.number))

  it.each<[string, Partial<Sent>, string]>([
    ['/v1/%zz', {}, '400 HOP_REQUEST_INVALID'],
    [`/${'a'.repeat(40_000)}`, {}, '414 HOP_URL_TOO_LONG'],
    ['/v1/config', { headers: { cookie: 'a'.repeat(40_000) } }, '431 HOP_HEADERS_TOO_LARGE'],
    ['/v1/config', { method: 'TRACE' }, '405 HOP_METHOD'],
    ['/v1/config', {}, '401 HOP_KEY_MISSING'],
  ])('of compose answers %s, sent with %o, in the shape of every other error', async (path, sent, refusal) => {
    const { status, text } = await call(compose.number, path, sent)
    expect(`${status} ${(JSON.parse(text) as ErrorBody).error.code}`).toBe(refusal)
  })
})

describe('a rewrite like that of Next.js', () => {
  const port = new FreePort()
  beforeAll(async () => {
    port.number = await rewriting(hopperPorts[1]!, (path) => path.replace(/^\/stats\//, '/'))
  })
  servesThePage(() => port.number)
})

it('control: a Hopper that trusts more proxies than there are believes what a visitor claims', async () => {
  const port = await rewriting(hopperPorts[2]!, (path) => path)
  const claimed = await deviceOf(port, '127.0.0.2', { 'x-forwarded-for': '203.0.113.9' })
  expect(await deviceOf(port, '127.0.0.3', { 'x-forwarded-for': '203.0.113.9' })).toBe(claimed)
})

it('control: a Hopper that trusts no proxy takes all visitors for one', async () => {
  const port = await rewriting(hopperPorts[0]!, (path) => path)
  expect(await deviceOf(port, '127.0.0.2')).toBe(await deviceOf(port, '127.0.0.3'))
})

/** Starts a proxy that rewrites paths and appends the address of its client, as rewrites of web frameworks do. */
async function rewriting(to: number, rewrite: (path: string) => string): Promise<number> {
  const server = createHttpServer((incoming, outgoing) => {
    const before = incoming.headers['x-forwarded-for']
    const client = incoming.socket.remoteAddress!
    const headers = {
      ...incoming.headers,
      'x-forwarded-for': before === undefined ? client : `${String(before)}, ${client}`,
    }
    const forwarded = request(
      { host: '127.0.0.1', port: to, path: rewrite(incoming.url!), method: incoming.method!, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      },
    )
    incoming.pipe(forwarded)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

async function answers(port: number): Promise<void> {
  await vi.waitFor(async () => expect((await call(port, '/none')).status).toBe(404), { timeout: 20_000 })
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
