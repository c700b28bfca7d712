import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** The fault that a request meets: `cut` takes the events, and breaks the connection before the answer. */
export type Fault = 'none' | 'down' | 'slow' | 'failing' | 'cut'
export const faults: readonly Fault[] = ['none', 'down', 'slow', 'failing', 'cut']

const SLOW_MS_MAX = 4_000
const FAILING_SHARE = 0.5

/** An event as the tracker posts it. */
export interface PostedEvent {
  readonly event_id: string
  readonly type: number
  readonly to?: string
  readonly target?: string
  readonly data?: { readonly n?: number }
}

/** Stands between pages and ingest, and lets requests fail. */
export class UnreliableIngest {
  fault: Fault = 'none'
  /** events of which ingest has answered that it has them, whether or not the page has seen the answer */
  readonly acknowledged = new Map<string, PostedEvent>()
  /** answers of ingest that no fault explains */
  readonly refusals: string[] = []
  /** requests that met each fault */
  readonly met: Record<Fault, number> = { none: 0, down: 0, slow: 0, failing: 0, cut: 0 }
  readonly #server: Server
  readonly #ingestUrl: string
  readonly #random: () => number

  constructor(ingestUrl: string, random: () => number) {
    this.#ingestUrl = ingestUrl
    this.#random = random
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => request.socket.destroy())
    })
  }

  async open(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { fault } = this
    this.met[fault]++
    if (fault === 'down') throw new Error('down')
    const isFailing = fault === 'failing' && this.#random() < FAILING_SHARE
    // half of the failures happen after ingest has taken the events
    if (isFailing && this.#random() < 0.5) return fail(response)
    const answer = await this.#forward(request)
    if (fault === 'cut') throw new Error('cut')
    if (isFailing) return fail(response)
    const text = await answer.text()
    // the delay is the fault
    if (fault === 'slow') await new Promise((next) => setTimeout(next, this.#random() * SLOW_MS_MAX))
    const headers = [...answer.headers].filter(
      ([name]) => !/^(content-(length|encoding)|connection|keep-alive|transfer-encoding)$/.test(name),
    )
    response.writeHead(answer.status, headers.flat()).end(text)
  }

  async #forward(request: IncomingMessage): Promise<Response> {
    const body = request.method === 'POST' ? await buffer(request) : undefined
    const headers = Object.entries(request.headers).filter(
      (header): header is [string, string] =>
        typeof header[1] === 'string' &&
        !/^(host|connection|content-length|transfer-encoding|accept-encoding)$/.test(header[0]),
    )
    const answer = await fetch(new URL(request.url!, this.#ingestUrl), {
      method: request.method!,
      headers,
      body: body ?? null,
    })
    if (body) await this.#record(answer.clone(), body)
    return answer
  }

  async #record(answer: Response, body: Buffer): Promise<void> {
    const text = await answer.text()
    const { rejected = [] } = (answer.status === 202 ? JSON.parse(text) : {}) as { rejected?: unknown[] }
    if (answer.status !== 202 || rejected.length > 0) this.refusals.push(`${answer.status} ${text}`)
    else
      for (const event of (JSON.parse(body.toString()) as { events: PostedEvent[] }).events)
        this.acknowledged.set(event.event_id, event)
  }
}

function fail(response: ServerResponse): void {
  response.writeHead(503, { 'access-control-allow-origin': '*' }).end()
}
