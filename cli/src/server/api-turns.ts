import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

interface Waiting {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Headers that may contain a key, in the API's order of precedence. */
const credentials = ['authorization', 'x-api-key', 'cookie'] as const

/**
 * Starts API requests in turns: one per turn of the event loop, round robin over the callers. Ingest and health checks
 * start immediately, so they wait for one API request at most, and another caller's requests wait for few. A client
 * that sends on hundreds of connections delays only itself. Each connection has one request at a time, so the number of
 * connections bounds the queue.
 */
export function apiInTurns(handle: RequestListener): RequestListener {
  const waitingOf = new Map<string, Waiting[]>()
  const next = (): void => {
    const [caller, waiting] = waitingOf.entries().next().value!
    const { request, response } = waiting.shift()!
    waitingOf.delete(caller)
    // re-queued at the end: other waiting callers go first
    if (waiting.length > 0) waitingOf.set(caller, waiting)
    if (waitingOf.size > 0) setImmediate(next)
    if (request.socket.writable) handle(request, response)
  }
  return (request, response) => {
    if (!isApiCall(request)) return handle(request, response)
    if (waitingOf.size === 0) setImmediate(next)
    const caller = callerOf(request)
    const waiting = waitingOf.get(caller)
    if (waiting) waiting.push({ request, response })
    else waitingOf.set(caller, [{ request, response }])
  }
}

const MCP = /^\/mcp(\?|$)/
/** Calls at the root, of which ingest takes other methods at the same path. */
const READ_AT_ROOT = /^\/(events|eventstream|database_events|session\/[^?]*)(\?|$)/

/** Matches calls that a key makes. The dashboard's files are cheap and are not queued. */
function isApiCall({ url = '', method = 'GET' }: IncomingMessage): boolean {
  return (
    url.startsWith('/api/') || url.startsWith('/query') || MCP.test(url) || (method === 'GET' && READ_AT_ROOT.test(url))
  )
}

/** Returns the claimed identity of the caller, before any key is looked up. */
function callerOf({ headers, url, socket }: IncomingMessage): string {
  const name = credentials.find((header) => headers[header] !== undefined)
  if (name !== undefined) return `${name} ${String(headers[name])}`
  return /[?&]key=([^&]*)/.exec(url!)?.[1] ?? socket.remoteAddress ?? ''
}
