import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Secrets } from './ports/secrets.ts'

/** Purpose of a token; one for another purpose is not valid. */
export type TokenPurpose = 'link' | 'pick' | 'share'

/** Why a token is refused. */
export type TokenFault = 'malformed' | 'forged' | 'expired'

/** Content of a token, or the reason why it is refused. */
export type VerifiedToken = { readonly subject: string } | { readonly fault: TokenFault }

/** maximum length: a token with a subject of 2,048 characters of three bytes each */
const TOKEN_CHARS_MAX = 8_300
const MAC_BYTES = 16
const APPS_MAX = 1_000

/**
 * Signs short-lived tokens with a secret for each app, which all processes of an installation share. A token is text
 * that is safe in addresses: its end, its subject and an HMAC of both with purpose and app. Its subject is not hidden.
 */
export class SignedTokens {
  readonly #secrets: Secrets
  readonly #clock: () => number
  readonly #known = new Map<string, Promise<Uint8Array>>()

  /** `clock` returns ms since the epoch. */
  constructor(secrets: Secrets, clock: () => number) {
    this.#secrets = secrets
    this.#clock = clock
  }

  /**
   * Returns a token that is valid for `lifetimeMs`, and the instant at which it ends (ms since the epoch).
   * @throws HopperError HOP_STORE_UNAVAILABLE
   */
  async sign(
    purpose: TokenPurpose,
    app: string,
    subject: string,
    lifetimeMs: number,
  ): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const expiresAt = this.#clock() + lifetimeMs
    const mac = macOf(await this.#secretOf(app), purpose, app, subject, expiresAt)
    const parts = [expiresAt.toString(36), Buffer.from(subject).toString('base64url'), mac.toString('base64url')]
    return { token: parts.join('.'), expiresAt }
  }

  /** Checks a token from anywhere. @throws HopperError HOP_STORE_UNAVAILABLE */
  async verify(purpose: TokenPurpose, app: string, token: string): Promise<VerifiedToken> {
    const [, end, text, sent] =
      (token.length <= TOKEN_CHARS_MAX && /^([0-9a-z]{1,11})\.([\w-]+)\.([\w-]{22})$/.exec(token)) || []
    if (end === undefined || text === undefined || sent === undefined) return { fault: 'malformed' }
    const expiresAt = parseInt(end, 36)
    const subject = Buffer.from(text, 'base64url').toString()
    const mac = macOf(await this.#secretOf(app), purpose, app, subject, expiresAt)
    if (!timingSafeEqual(mac, Buffer.from(sent, 'base64url'))) return { fault: 'forged' }
    return expiresAt > this.#clock() ? { subject } : { fault: 'expired' }
  }

  async #secretOf(app: string): Promise<Uint8Array> {
    let secret = this.#known.get(app)
    if (!secret) {
      if (this.#known.size >= APPS_MAX) this.#known.clear()
      this.#known.set(app, (secret = this.#secrets.secret(`tokens ${app}`)))
      secret.catch(() => this.#known.delete(app))
    }
    return secret
  }
}

function macOf(secret: Uint8Array, purpose: TokenPurpose, app: string, subject: string, expiresAt: number): Buffer {
  const text = JSON.stringify([purpose, app, expiresAt, subject])
  return createHmac('sha256', secret).update(text).digest().subarray(0, MAC_BYTES)
}
