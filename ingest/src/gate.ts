import { HopperError } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeyCheck, Sender } from './key-check.ts'
import type { RateLimit } from './rate-limit.ts'

/** What every call with a write key passes before its body is read: key, origin, rate. */
export class Gate {
  readonly #keys: KeyCheck
  readonly #rate: RateLimit

  constructor(keys: KeyCheck, rate: RateLimit) {
    this.#keys = keys
    this.#rate = rate
  }

  async admit(request: FastifyRequest, reply: FastifyReply): Promise<Sender> {
    const sender = await this.#keys.senderOf(keyOf(request))
    const { origin } = request.headers
    const { origins } = sender.app
    if (origin !== undefined && origins.length > 0 && !origins.includes(origin)) {
      throw new HopperError('HOP_ORIGIN', `The app does not take events from ${origin.slice(0, 200)}.`)
    }
    const seconds = this.#rate.secondsToWait(sender.keyHash, performance.now())
    if (seconds > 0) {
      reply.header('retry-after', seconds)
      throw new HopperError('HOP_RATE')
    }
    return sender
  }
}

/** The key of a request: a header before the query, as a header can not be left over in a copied address. */
function keyOf(request: FastifyRequest): string | undefined {
  const { authorization, 'x-api-key': header } = request.headers
  if (authorization !== undefined) return /^Bearer +(\S+)\s*$/i.exec(authorization)?.[1]
  if (typeof header === 'string') return header
  const { key } = request.query as { key?: unknown }
  return typeof key === 'string' ? key : undefined
}
