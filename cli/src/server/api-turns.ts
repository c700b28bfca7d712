import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

interface Waiting {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** The headers in which a key is looked for, in the order of the API. */
const credentials = ['authorization', 'x-api-key', 'cookie'] as const

/**
 * Begins the requests of the API in turns: one in each turn of the event loop, callers one after the other, so that
 * ingest and health checks, which begin at once, wait for one of them at most, and another caller's for few. Whoever
 * sends on hundreds of connections waits for itself. Each connection has one request at a time, so the connections
 * bound how many wait.
 */
export function apiInTurns(handle: RequestListener): RequestListener {
  const waitingOf = new Map<string, Waiting[]>()
  const next = (): void => {
    const [caller, waiting] = waitingOf.entries().next().value!
    const { request, response } = waiting.shift()!
    waitingOf.delete(caller)
    // at the end: whoever else waits goes first
    if (waiting.length > 0) waitingOf.set(caller, waiting)
    if (waitingOf.size > 0) setImmediate(next)
    if (request.socket.writable) handle(request, response)
  }
  return (request, response) => {
    if (!isApiCall(request.url!)) return handle(request, response)
    if (waitingOf.size === 0) setImmediate(next)
    const caller = callerOf(request)
    const waiting = waitingOf.get(caller)
    if (waiting) waiting.push({ request, response })
    else waitingOf.set(caller, [{ request, response }])
  }
}

/** Calls that a key makes; the files of the dashboard cost little. */
function isApiCall(url: string): boolean {
  return url.startsWith('/api/') || url.startsWith('/query')
}

/** Whom a request comes from, as far as it says so before anybody has looked the key up. */
function callerOf({ headers, url, socket }: IncomingMessage): string {
  const name = credentials.find((header) => headers[header] !== undefined)
  if (name !== undefined) return `${name} ${String(headers[name])}`
  return /[?&]key=([^&]*)/.exec(url!)?.[1] ?? socket.remoteAddress ?? ''
}
