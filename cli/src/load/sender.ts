import { Agent, request, type IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError, type EventsAnswer, type EventsBody, type WireEvent } from '@hopper/contracts'

const RETRIES_MAX = 20
const RETRY_AFTER_MS = 1_000
const ANSWER_MS_MAX = 30_000

/** One request: events of one device, as its browser would send them. */
export interface Batch {
  readonly device: string
  readonly userAgent: string
  /** source of the session, language and screen, as a browser states them */
  readonly session: Pick<EventsBody, 'source' | 'language' | 'screen' | 'country' | 'region'>
  readonly events: readonly WireEvent[]
}

/** Sends batches to an ingest over persistent connections, and waits when the server asks for it. */
export class Sender {
  readonly #agent: Agent
  readonly #url: URL
  readonly #key: string

  constructor(url: string, key: string, connections: number) {
    this.#url = new URL('/v1/events', url)
    this.#key = key
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /**
   * Resolves with the answer when the batch is durable. 429, 503 and a broken connection are retried: the event ids
   * make that safe.
   */
  async send(batch: Batch): Promise<EventsAnswer> {
    for (let attempt = 0; ; attempt++) {
      const { status, text, retryAfterMs } = await this.#post(batch).catch((cause: Error) => ({
        status: 0,
        text: cause.message,
        retryAfterMs: RETRY_AFTER_MS,
      }))
      if (status === 202) return JSON.parse(text) as EventsAnswer
      if (![0, 429, 503].includes(status))
        throw new Error(`${this.#url.origin} answered ${status}: ${text.slice(0, 300)}`)
      if (attempt === RETRIES_MAX)
        throw new HopperError(
          'HOP_LOG_UNAVAILABLE',
          `No ingest accepts events at ${this.#url.origin}: ${text.slice(0, 300)}.`,
        )
      await pause(retryAfterMs)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #post({
    device,
    userAgent,
    session,
    events,
  }: Batch): Promise<{ status: number; text: string; retryAfterMs: number }> {
    const body = Buffer.from(JSON.stringify({ device_id: device, historical: true, ...session, events }))
    const headers = {
      // These requests come from a page; without an origin they would look like a server's.
      origin: this.#url.origin,
      'content-type': 'application/json',
      'content-length': body.length,
      'x-api-key': this.#key,
      'user-agent': userAgent,
      'accept-language': 'en',
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url, { method: 'POST', agent: this.#agent, headers, timeout: ANSWER_MS_MAX })
      outgoing.on('response', (answer) => void read(answer).then(resolve, reject))
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)))
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

async function read(answer: IncomingMessage): Promise<{ status: number; text: string; retryAfterMs: number }> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  const seconds = Number(answer.headers['retry-after'])
  return {
    status: answer.statusCode ?? 0,
    text: Buffer.concat(chunks).toString(),
    retryAfterMs: seconds > 0 ? seconds * 1_000 : RETRY_AFTER_MS,
  }
}
