import { HopperError } from '@hopper/contracts'
import type { FastifyRequest } from 'fastify'
import type { KeyCheck, Sender } from './key-check.ts'
import type { RateExceeded, RateLimit, RequestCost } from './rate-limit.ts'

/**
 * Checks every call with a write key: key, origin and rate before its body is read (unless the key is in the body),
 * events and bytes afterwards.
 */
export class Gate {
  readonly #keys: KeyCheck
  readonly #rate: RateLimit

  constructor(keys: KeyCheck, rate: RateLimit) {
    this.#keys = keys
    this.#rate = rate
  }

  /** Returns whether a request has a key in its headers or its address. */
  hasKey(request: FastifyRequest): boolean {
    return keyOf(request) !== undefined
  }

  admit(request: FastifyRequest): Promise<Sender> {
    return this.admitKey(keyOf(request), request)
  }

  /** Admits a request by a key that its body contains. */
  async admitKey(key: string | undefined, request: FastifyRequest): Promise<Sender> {
    const sender = await this.#keys.senderOf(key)
    const { origin } = request.headers
    const { origins } = sender.app
    if (origin !== undefined && origins.length > 0 && !origins.includes(origin)) {
      throw new HopperError('HOP_ORIGIN', `The app does not accept events from ${origin.slice(0, 200)}.`)
    }
    this.admitMessage(sender)
    return sender
  }

  /** Counts one request of a sender, or one message of its socket. @throws HopperError HOP_RATE */
  admitMessage({ keyHash }: Sender): void {
    refuse(this.#rate.admit(keyHash, performance.now()))
  }

  /**
   * Charges the events and bytes of an admitted request.
   * @throws HopperError HOP_RATE, before any of its events is stored
   */
  charge({ keyHash }: Sender, cost: RequestCost): void {
    refuse(this.#rate.charge(keyHash, cost, performance.now()))
  }

  /** Charges the bytes of an admitted request that was rejected for its content: reading it cost the same. */
  chargeRefused({ keyHash }: Sender, request: FastifyRequest): void {
    this.#rate.charge(keyHash, { events: 1, bytes: declaredBytes(request) }, performance.now())
  }
}

/** Returns the declared length of a request's body; 0 when it declares none. */
function declaredBytes({ headers }: FastifyRequest): number {
  const length = Number(headers['content-length'])
  return Number.isFinite(length) ? length : 0
}

function refuse(exceeded: RateExceeded | undefined): void {
  if (!exceeded) return
  throw new HopperError('HOP_RATE', `This key sends too many ${exceeded.rate} per second.`, {
    details: { rate: exceeded.rate, retry_after: exceeded.seconds },
  })
}

/**
 * Returns the key of a request: a header takes precedence over the query, since a copied address may contain a stale
 * key.
 */
function keyOf(request: FastifyRequest): string | undefined {
  const { authorization, 'x-api-key': header } = request.headers
  if (authorization !== undefined) return keyOfAuthorization(authorization)
  if (typeof header === 'string') return header
  const { key } = request.query as { key?: unknown }
  return typeof key === 'string' ? key : undefined
}

/**
 * Returns the token of `Bearer`, or the user name of `Basic` (RFC 7617), where clients of the Segment API put their
 * write key.
 */
function keyOfAuthorization(authorization: string): string | undefined {
  const [, scheme, credentials] = /^(Bearer|Basic) +(\S+)\s*$/i.exec(authorization) ?? []
  if (credentials === undefined || scheme!.toLowerCase() === 'bearer') return credentials
  return Buffer.from(credentials, 'base64').toString().split(':', 1)[0]
}
