import { HopperError, isLoopback, sourceOf } from '@hopper/contracts'
import type { KeyUses } from '@hopper/storage'
import type { FastifyRequest } from 'fastify'
import type { KeyCheck, Sender } from './key-check.ts'
import { recordSender } from './refused-requests.ts'
import { RateLimit, type RateExceeded, type RequestCost } from './rate-limit.ts'

/**
 * Checks every call with a write key: key, origin and rate before its body is read (unless the key is in the body),
 * events and bytes afterwards.
 */
export class Gate {
  readonly #keys: KeyCheck
  readonly #rate: RateLimit
  readonly #sources: RateLimit

  readonly #uses: Pick<KeyUses, 'note'> | undefined

  /** @param sources limits what one address sends, whatever its keys */
  constructor(keys: KeyCheck, rate: RateLimit, sources: RateLimit = new RateLimit(), uses?: Pick<KeyUses, 'note'>) {
    this.#keys = keys
    this.#rate = rate
    this.#sources = sources
    this.#uses = uses
  }

  /** Returns whether a request has a key in its headers or its address. */
  hasKey(request: FastifyRequest): boolean {
    return keyOf(request) !== undefined
  }

  /** Returns the sender with a write key, without a check of its origin and rate. */
  senderOf(key: string): Promise<Sender> {
    return this.#keys.senderOf(key)
  }

  admit(request: FastifyRequest): Promise<Sender> {
    return this.admitKey(keyOf(request), request)
  }

  /**
   * Counts a request whose key, if it needs one, is only known once its body is read: until then it can only be charged
   * to its address.
   * @throws HopperError HOP_RATE
   */
  admitSource(request: FastifyRequest): void {
    const source = remoteSource(request)
    if (source !== undefined) refuse(this.#sources.admit(source, performance.now()), 'address')
  }

  /** Charges the address of a request, whose sender is not known, for the bytes of a body that was read. */
  chargeSource(request: FastifyRequest, bytes: number): void {
    const source = remoteSource(request)
    if (source !== undefined) this.#sources.charge(source, { events: 1, bytes }, performance.now())
  }

  /** Admits a request by a key that is neither in a header nor in the query. */
  async admitKey(key: string | undefined, request: FastifyRequest): Promise<Sender> {
    recordSender(request, key === undefined ? {} : { key })
    // before the key is looked up: this is the only limit for somebody who guesses keys
    this.admitSource(request)
    return this.#admitBy(key, request)
  }

  /** Admits a request by a key that its body contains, after `admitSource`. */
  async admitLate(key: string | undefined, request: FastifyRequest): Promise<Sender> {
    recordSender(request, key === undefined ? {} : { key })
    return this.#admitBy(key, request)
  }

  async #admitBy(key: string | undefined, request: FastifyRequest): Promise<Sender> {
    const source = remoteSource(request)
    const known = await this.#keys.senderOf(key)
    recordSender(request, { app: known.app.id })
    const sender = source === undefined ? known : { ...known, source }
    const { origin } = request.headers
    const { origins } = sender.app
    if (origin !== undefined && origins.length > 0 && !origins.includes(origin)) {
      throw new HopperError('HOP_ORIGIN', `The app does not accept events from ${origin.slice(0, 200)}.`)
    }
    refuse(this.#rate.admit(sender.keyHash, performance.now()), 'key')
    this.#uses?.note({ hash: sender.keyHash, organization: sender.app.organization })
    return sender
  }

  /** Counts one message of a socket. @throws HopperError HOP_RATE */
  admitMessage({ keyHash, source }: Sender): void {
    if (source !== undefined) refuse(this.#sources.admit(source, performance.now()), 'address')
    refuse(this.#rate.admit(keyHash, performance.now()), 'key')
  }

  /**
   * Charges the events and bytes of an admitted request.
   * @throws HopperError HOP_RATE, before any of its events is stored
   */
  charge({ keyHash, source }: Sender, cost: RequestCost): void {
    if (source !== undefined) refuse(this.#sources.charge(source, cost, performance.now()), 'address')
    refuse(this.#rate.charge(keyHash, cost, performance.now()), 'key')
  }

  /**
   * Charges the bytes of an admitted request that was rejected for its content: reading it cost the same. Counts
   * the bytes that have arrived: a length that is only declared would let anybody use up the rate of a key.
   */
  chargeRefused({ keyHash, source }: Sender, bytes: number): void {
    const cost = { events: 1, bytes }
    if (source !== undefined) this.#sources.charge(source, cost, performance.now())
    this.#rate.charge(keyHash, cost, performance.now())
  }
}

/** Returns the source of a request; undefined for one from this machine. */
function remoteSource(request: FastifyRequest): string | undefined {
  const source = sourceOf(request.ip)
  return isLoopback(source) ? undefined : source
}

function refuse(exceeded: RateExceeded | undefined, by: 'key' | 'address'): void {
  if (!exceeded) return
  throw new HopperError('HOP_RATE', `This ${by} sends too many ${exceeded.rate} per second.`, {
    details: { rate: exceeded.rate, by, retry_after: exceeded.seconds },
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
