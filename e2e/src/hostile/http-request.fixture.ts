import { Agent, request } from 'node:http'

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Answered {
  /** 0 when the connection was cut without an answer */
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly ms: number
}

/** A stream of events does not end by itself: it is cut after this time, and its beginning counts as the answer. */
const STREAM_MS = 300
const TEXT_CHARS_MAX = 20_000
const agent = new Agent({ keepAlive: true, maxSockets: 8 })

/** Sends a request as it is, without anything that `fetch` would refuse or add. */
export function send(url: string, { method, path, headers = {}, body }: Sent): Promise<Answered> {
  const started = performance.now()
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    // Node declares no length for a DELETE by itself
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request({ hostname, port, path, method, agent, headers: { ...length, ...headers } })
    const end = (status: number, text: string, received: Answered['headers'] = {}): void =>
      resolve({ status, text, headers: received, ms: performance.now() - started })
    sent.on('error', (error) => end(0, error.message))
    sent.on('response', (response) => {
      let text = ''
      const status = response.statusCode ?? 0
      const isStream = String(response.headers['content-type']).startsWith('text/event-stream')
      if (isStream) setTimeout(() => response.destroy(), STREAM_MS)
      response.on('data', (chunk: Buffer) => {
        if (text.length < TEXT_CHARS_MAX) text += chunk.toString()
      })
      response.on('close', () => end(status, text, response.headers))
    })
    sent.end(body)
  })
}
