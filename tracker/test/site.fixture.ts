import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { wireEvents, eventTypes, EventsBody, type TrackerConfig } from '@hopper/contracts'
import { Value } from 'typebox/value'

const root = join(import.meta.dirname, '..')
const script = join(root, 'dist/hopper.js')

/** Builds dist/hopper.js when a source is newer than it. */
export function builtTracker(): string {
  const newest = Math.max(
    ...readdirSync(join(root, 'src')).map((file) => statSync(join(root, 'src', file)).mtimeMs),
    statSync(join(root, 'rollup.config.js')).mtimeMs,
  )
  if (!existsSync(script) || statSync(script).mtimeMs < newest)
    execFileSync(process.execPath, [join(root, '../node_modules/rollup/dist/bin/rollup'), '-c'], {
      cwd: root,
      stdio: 'pipe',
    })
  return readFileSync(script, 'utf8')
}

/** Event as it arrived. */
export interface Arrived {
  type: number
  event_id: string
  timestamp: number
  session_id: string
  seq: number
  device_id: string
  [field: string]: unknown
}

/**
 * Site with the tracker on every page, and the ingest that it talks to; it records what arrives, and checks it against
 * the contract.
 */
export class Site {
  config: TrackerConfig = { funnels: [], elements: [] }
  /** status of the next answers to posts, and of the configuration's */
  status = 202
  configStatus = 200
  head = ''
  body = '<main><p>one</p><p>two <b>bold</b></p><button id="buy">Buy</button></main>'
  readonly posts: { type: string; status: number; body: string }[] = []
  readonly #server: Server
  readonly #script = builtTracker()

  constructor() {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://site')
      const answer = (status: number, type: string, text: string): void => {
        response.writeHead(status, { 'content-type': type }).end(text)
      }
      if (pathname === '/hopper.js') return answer(200, 'text/javascript', this.#script)
      if (pathname === '/v1/config')
        return answer(
          this.configStatus,
          'application/json',
          searchParams.get('key') === 'hw_test' ? JSON.stringify(this.config) : '{}',
        )
      if (pathname !== '/v1/events')
        return answer(
          200,
          'text/html',
          `<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">${this.head}
          <script async src="/hopper.js" data-key="hw_test"></script></head><body>${this.body}</body></html>`,
        )
      let body = ''
      request
        .setEncoding('utf8')
        .on('data', (chunk: string) => (body += chunk))
        .on('end', () => {
          this.posts.push({ type: request.headers['content-type'] ?? '', status: this.status, body })
          answer(this.status, 'application/json', '{}')
        })
    })
  }

  async open(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    return this
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  /** Acknowledged events in the order of arrival, each once. */
  get events(): Arrived[] {
    const seen = new Map<string, Arrived>()
    for (const event of this.posts.filter(({ status }) => status === 202).flatMap(({ body }) => eventsOf(body)))
      if (!seen.has(event.event_id)) seen.set(event.event_id, event)
    return [...seen.values()]
  }

  of(type: number): Arrived[] {
    return this.events.filter((event) => event.type === type).sort((a, b) => a.timestamp - b.timestamp || a.seq - b.seq)
  }

  /** Waits until this many events of a type have arrived. */
  async arrived(type: number, count: number): Promise<Arrived[]> {
    await until(
      () => this.of(type).length >= count,
      () => `${count} events of type ${type}, there are: ${JSON.stringify(this.events).slice(0, 3_000)}`,
    )
    return this.of(type)
  }
}

/** Returns the events of a body; both must match the contract. */
export function eventsOf(body: string): Arrived[] {
  const parsed: unknown = JSON.parse(body)
  if (!Value.Check(EventsBody, parsed)) throw new Error(`not a body of /v1/events: ${body}`)
  return (parsed.events as Arrived[]).map((event) => {
    const schema = wireEvents[eventTypes[event.type]!]
    if (!Value.Check(schema, event)) throw new Error(`not an event: ${JSON.stringify(event)}`)
    return { ...event, device_id: parsed.device_id! }
  })
}

/** Waits for a condition, with a bound. */
export async function until(condition: () => boolean, what: () => string, boundMs = 10_000): Promise<void> {
  const end = Date.now() + boundMs
  while (!condition()) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what()}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}
