import { createHmac } from 'node:crypto'
import type { Registry, Secrets } from '@hopper/storage'
import { Inject, Injectable } from '@nestjs/common'
import { CLOCK, REGISTRY, SECRETS, type Clock } from '../tokens.ts'
import { newSecret, sameSecret, secretHash } from './secret.ts'

/** Time to log in at the provider. */
const LIFETIME_MS = 10 * 60_000
const COOKIE = /^([0-9a-z]{1,11})\.[\w-]{43}\.([A-Za-z0-9_.-]{0,64})$/

/** A login at the OpenID provider, from the redirect there to the one back. */
export interface LoginAttempt {
  /** for the browser that has begun it */
  readonly cookie: string
  readonly maxAgeSeconds: number
  /** organization to log in to, if the person has named one */
  readonly organization?: string
  readonly state: string
  readonly nonce: string
  /** for PKCE (RFC 7636) */
  readonly verifier: string
}

/**
 * Logins that are under way at the OpenID provider. Nothing is stored: the browser keeps a random value, its end and
 * the organization in a cookie, and any process derives state, nonce and verifier from it with a secret of the
 * installation. Another end or organization would need another state, which nobody can compute.
 */
@Injectable()
export class LoginAttempts {
  private readonly registry: Registry
  private readonly secrets: Secrets
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(SECRETS) secrets: Secrets, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.secrets = secrets
    this.clock = clock
  }

  begin(organization = ''): Promise<LoginAttempt> {
    const end = (this.clock() + LIFETIME_MS).toString(36)
    return this.derive(`${end}.${newSecret()}.${organization}`, organization)
  }

  /**
   * Returns the attempt of a cookie whose browser comes back with this state; undefined if it does not belong to it or
   * has ended.
   */
  async find(cookie: string, state: string): Promise<LoginAttempt | undefined> {
    const [, end, organization] = COOKIE.exec(cookie) ?? []
    if (end === undefined || organization === undefined || parseInt(end, 36) <= this.clock()) return undefined
    const attempt = await this.derive(cookie, organization)
    return sameSecret(attempt.state, state) ? attempt : undefined
  }

  /** Marks an attempt as used. Of several requests, in any process, only the first gets true. */
  use({ state }: LoginAttempt): Promise<boolean> {
    return this.registry.claims.claim(`provider login ${secretHash(state)}`, newSecret(), LIFETIME_MS)
  }

  private async derive(cookie: string, organization: string): Promise<LoginAttempt> {
    const secret = await this.secrets.secret('provider logins')
    const derived = (purpose: string): string =>
      createHmac('sha256', secret)
        .update(JSON.stringify([purpose, cookie]))
        .digest('base64url')
    return {
      cookie,
      maxAgeSeconds: LIFETIME_MS / 1000,
      ...(organization === '' ? {} : { organization }),
      state: derived('state'),
      nonce: derived('nonce'),
      verifier: derived('verifier'),
    }
  }
}
