import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of a connection that wait before no more are read from it. */
const WAITING_BEFORE_PAUSE = 16
/**
 * Requests of a connection that wait at most: one read of 64 KB holds some 2,000 of the shortest. Whoever sends more,
 * which takes reads between the bodies of others, loses the connection.
 */
const WAITING_MAX = 4_096

interface Waiting {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Stops reading from a connection. At the end of each request the parser resumes it, on the next tick. */
function pauseAfterParsing(socket: Socket): void {
  process.nextTick(() => process.nextTick(() => socket.pause()))
}

/**
 * Handles the requests of a connection one after the other, however many a client sends at once (HTTP/1.1 pipelining),
 * and at most one in each turn of the event loop. Without it a packet of 1,000 requests is a stall for everybody, each
 * of them is checked before any counts in a share, and those of a client that has left go on: Node reports the end of a
 * connection only to the request whose answer is due. The one under way on a paused connection notices the end when it
 * writes.
 */
export function oneAfterTheOther(handle: RequestListener): RequestListener {
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
