import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Number of waiting requests of a connection at which reading from it pauses. */
const WAITING_BEFORE_PAUSE = 16
/**
 * Maximum number of waiting requests of a connection: one read of 64 KB contains about 2,000 of the shortest. A client
 * that exceeds it, which takes reads between the bodies of others, loses the connection.
 */
const WAITING_MAX = 4_096

interface Waiting {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Stops reading from a connection. The parser resumes it at the end of each request, on the next tick. */
function pauseAfterParsing(socket: Socket): void {
  process.nextTick(() => process.nextTick(() => socket.pause()))
}

/**
 * Handles the requests of a connection in sequence, however many a client pipelines (HTTP/1.1), and at most one per
 * turn of the event loop. Otherwise a packet of 1,000 requests stalls everybody, all of them pass the rate check before
 * any is charged, and those of a disconnected client continue: Node reports the end of a connection only to the request
 * whose answer is due. A request in flight on a paused connection notices the end when it writes.
 */
export function sequentially(handle: RequestListener): RequestListener {
  const waitingOf = new WeakMap<Socket, Waiting[]>()

  const begin = ({ request, response }: Waiting): void => {
    const { socket } = request
    response.once('close', () => setImmediate(() => next(socket)))
    handle(request, response)
  }
  const next = (socket: Socket): void => {
    const waiting = waitingOf.get(socket)!
    const first = socket.writable ? waiting.shift() : undefined
    if (!first) return void waitingOf.delete(socket)
    if (waiting.length < WAITING_BEFORE_PAUSE && socket.isPaused()) socket.resume()
    begin(first)
  }
  return (request, response) => {
    const { socket } = request
    const waiting = waitingOf.get(socket)
    if (!waiting) {
      waitingOf.set(socket, [])
      return begin({ request, response })
    }
    waiting.push({ request, response })
    if (waiting.length > WAITING_MAX) socket.destroy()
    else if (waiting.length >= WAITING_BEFORE_PAUSE) pauseAfterParsing(socket)
  }
}
