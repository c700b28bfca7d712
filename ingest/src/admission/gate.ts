import { HopperError } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeyCheck, Sender } from './key-check.ts'
import type { RateExceeded, RateLimit, RequestCost } from './rate-limit.ts'

/**
 * Checks what every call with a write key must pass: key, origin and rate before its body is read, events and bytes
 * afterwards.
 */
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
    refuse(this.#rate.admit(sender.keyHash, performance.now()), reply)
    return sender
  }

  /**
   * Charges what an admitted request turned out to hold. @throws HopperError HOP_RATE, before anything of it was taken
   */
  charge({ keyHash }: Sender, cost: RequestCost, reply: FastifyReply): void {
    refuse(this.#rate.charge(keyHash, cost, performance.now()), reply)
  }

  /** Charges the bytes of an admitted request that was refused for what it holds: reading it cost the same. */
  chargeRefused({ keyHash }: Sender, request: FastifyRequest): void {
    this.#rate.charge(keyHash, { events: 1, bytes: bytesNamed(request) }, performance.now())
  }
}

/** The length that a request names of its body; 0 of one that names none. */
function bytesNamed({ headers }: FastifyRequest): number {
  const length = Number(headers['content-length'])
  return Number.isFinite(length) ? length : 0
}

function refuse(exceeded: RateExceeded | undefined, reply: FastifyReply): void {
  if (!exceeded) return
  reply.header('retry-after', exceeded.seconds)
  throw new HopperError('HOP_RATE', `This key sends too many ${exceeded.rate} a second.`, {
    details: { rate: exceeded.rate },
  })
}

/** The key of a request: a header before the query, as a header cannot be left over in a copied address. */
function keyOf(request: FastifyRequest): string | undefined {
  const { authorization, 'x-api-key': header } = request.headers
  if (authorization !== undefined) return keyOfAuthorization(authorization)
  if (typeof header === 'string') return header
  const { key } = request.query as { key?: unknown }
  return typeof key === 'string' ? key : undefined
}

/**
 * The token of `Bearer`, or the user name of `Basic` (RFC 7617), which is where clients of the Segment API put their
 * write key.
 */
function keyOfAuthorization(authorization: string): string | undefined {
  const [, scheme, credentials] = /^(Bearer|Basic) +(\S+)\s*$/i.exec(authorization) ?? []
  if (credentials === undefined || scheme!.toLowerCase() === 'bearer') return credentials
  return Buffer.from(credentials, 'base64').toString().split(':', 1)[0]
}
