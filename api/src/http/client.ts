import type { FastifyReply, FastifyRequest } from 'fastify'
import { callerName, grantedOf } from '../access/caller.ts'
import type { Progress } from '../query/pool/query-job.ts'
import { clientGone } from '../query/pool/query-pool.ts'

/** The client of a request. Its signal aborts if the connection closes before the answer is sent. */
export interface HttpClient {
  readonly signal: AbortSignal
  readonly caller: string
  readonly arrivedAt: number
  progress?: (progress: Progress) => void
}

const clients = new WeakMap<FastifyRequest, HttpClient>()

/** Returns the client of a request; every call for the same request returns the same one. */
export function clientOf(request: FastifyRequest, reply: FastifyReply): HttpClient {
  let client = clients.get(request)
  if (!client) {
    const left = new AbortController()
    const onClose = (): void => {
      if (!reply.raw.writableFinished) left.abort(clientGone())
    }
    // the client may have disconnected while the guard looked up its key
    if (reply.raw.closed || request.raw.socket.destroyed) onClose()
    else reply.raw.once('close', onClose)
    clients.set(
      request,
      (client = {
        signal: left.signal,
        caller: callerName(grantedOf(request).caller),
        arrivedAt: performance.now() - reply.elapsedTime,
      }),
    )
  }
  return client
}
