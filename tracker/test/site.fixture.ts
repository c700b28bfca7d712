import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { wireEvents, eventTypes, EventsBody, trackedConfig, type Funnel, type TrackerOptions } from '@hopper/contracts'
import { Value } from 'typebox/value'

const root = join(import.meta.dirname, '..')

/** Builds the tracker when a source is newer than it, and returns the build for these options. */
export function builtTracker(name = 'default'): string {
  const index = join(root, 'dist/variants.json')
  const newest = Math.max(
    ...readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(
      (file) => statSync(join(root, 'src', file)).mtimeMs,
    ),
    statSync(join(root, 'build.mjs')).mtimeMs,
  )
  if (!existsSync(index) || statSync(index).mtimeMs < newest)
    execFileSync(process.execPath, [join(root, 'build.mjs')], { stdio: 'pipe' })
  return readFileSync(
    join(root, 'dist', (JSON.parse(readFileSync(index, 'utf8')) as Record<string, string>)[name]!),
    'utf8',
  )
}

/** Returns the built script for picking elements. */
export function builtPicker(): string {
  builtTracker()
  return readFileSync(join(root, 'dist/picker.js'), 'utf8')
}

/** Returns the built package. */
export function builtPackage(): string {
  builtTracker()
  return readFileSync(join(root, 'dist/package.js'), 'utf8')
}

/** An event as it arrived. */
export interface ArrivedEvent {
  type: number
  event_id: string
  timestamp: number
  session_id: string
  seq: number
  device_id: string
  [field: string]: unknown
}

/**
 * A site with the tracker on every page, and the ingest that the tracker sends to; it records the requests, and checks
 * them against the contract.
 */
export class Site {
  config: {
    funnels: Pick<Funnel, 'id' | 'stages'>[]
    elements: { xpath: string; fingerprints?: string[] }[]
    keep_parameters?: string[]
    hash_routing?: boolean
    tracker?: TrackerOptions
  } = { funnels: [], elements: [] }
  /** name of the build that the pages load */
  variant = 'default'
  /** the script tag of the pages */
  tag = '<script async src="/hopper.js" data-key="hw_test"></script>'
  /** status of the next answers to posts, and of the configuration's */
  status = 202
  configStatus = 200
  /** status of the answers to picks */
  pickStatus = 200
  /** of the pages */
  headers: Record<string, string> = {}
  head = ''
  body = '<main><p>one</p><p>two <b>bold</b></p><button id="buy">Buy</button></main>'
  /** number of requests for the configuration */
  configRequests = 0
  readonly configQueries: string[] = []
  /** bodies of picks */
  readonly picks: string[] = []
  pickerLoads = 0
  readonly #loads: string[] = []
  readonly posts: { type: string; status: number; body: string }[] = []
  readonly #server: Server

  constructor() {
    // not in a request: a build takes longer than a page waits
    builtTracker()
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://site')
      const answer = (status: number, type: string, text: string): void => {
        response
          .writeHead(status, {
            'content-type': type,
            'access-control-allow-origin': '*',
            ...(type === 'text/html' && this.headers),
            ...(status === 401 && { 'retry-after': '3600' }),
          })
          .end(text)
      }
      if (pathname === '/package.js') return answer(200, 'text/javascript', builtPackage())
      if (pathname === '/hopper.js') return answer(200, 'text/javascript', builtTracker(this.variant))
      if (pathname === '/v1/picker.js') {
        this.pickerLoads++
        return answer(200, 'text/javascript', builtPicker())
      }
      if (pathname === '/v1/config') {
        this.configRequests++
        this.configQueries.push(String(searchParams))
        return answer(
          this.configStatus,
          'application/json',
          searchParams.get('key') === 'hw_test' ? JSON.stringify(this.#configuration(searchParams.get('pick'))) : '{}',
        )
      }
      if (pathname === '/v1/link')
        return answer(200, 'application/json', JSON.stringify({ token: 'signed', device_id: 'linked' }))
      if (pathname !== '/v1/events' && pathname !== '/v1/picks') {
        this.#loads.push(pathname)
        return answer(
          200,
          'text/html',
          `<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">${this.head}
          ${this.tag}</head><body>${this.body}</body></html>`,
        )
      }
      let body = ''
      request
        .setEncoding('utf8')
        .on('data', (chunk: string) => (body += chunk))
        .on('end', () => {
          if (pathname === '/v1/picks') {
            this.picks.push(body)
            return answer(this.pickStatus, 'application/json', '{"taken":true}')
          }
          this.posts.push({ type: request.headers['content-type'] ?? '', status: this.status, body })
          answer(this.status, 'application/json', '{}')
        })
    })
  }

  #configuration(pick: string | null): object {
    const { funnels, elements, keep_parameters = [], hash_routing = false, tracker } = this.config
    return {
      ...trackedConfig({ keep_parameters, hash_routing }, funnels, elements),
      ...(tracker && { tracker }),
      ...(pick !== null && { pick: pick === 'signed' }),
    }
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
  get events(): ArrivedEvent[] {
    const seen = new Map<string, ArrivedEvent>()
    for (const event of this.posts.filter(({ status }) => status === 202).flatMap(({ body }) => eventsOf(body)))
      if (!seen.has(event.event_id)) seen.set(event.event_id, event)
    return [...seen.values()]
  }

  /** Returns how often a page was loaded. */
  loads(path: string): number {
    return this.#loads.filter((each) => each === path).length
  }

  /** Returns the acknowledged events of a type, ascending by time. */
  eventsOfType(type: number): ArrivedEvent[] {
    return this.events.filter((event) => event.type === type).sort((a, b) => a.timestamp - b.timestamp || a.seq - b.seq)
  }

  /** Waits until this many events of a type have arrived. */
  async arrived(type: number, count: number): Promise<ArrivedEvent[]> {
    await until(
      () => this.eventsOfType(type).length >= count,
      () => `${count} events of type ${type}, there are: ${JSON.stringify(this.events).slice(0, 3_000)}`,
    )
    return this.eventsOfType(type)
  }
}

/** Returns the events of a body; both must match the contract. */
export function eventsOf(body: string): ArrivedEvent[] {
  const parsed: unknown = JSON.parse(body)
  if (!Value.Check(EventsBody, parsed)) throw new Error(`not a body of /v1/events: ${body}`)
  return (parsed.events as ArrivedEvent[]).map((event) => {
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
