import { limits } from '@hopper/contracts'
import type { Secrets } from '@hopper/storage'

export const DAY_MS = 86_400_000
/** a salt is created this long before its day begins, at most: a client's clock may be ahead */
const AHEAD_MS = limits.clockSkewMsMax
/** age at which the oldest salt is deleted */
const SALT_MS = 2 * DAY_MS

interface Salt {
  readonly secret: Promise<Uint8Array>
  readonly expiresAt: number
}

/** Salts that exist at an instant, by UTC day (days since the epoch). */
export type Salts = ReadonlyMap<number, Uint8Array>

/**
 * Random salts, one for each UTC day, which all ingest processes of an installation share. The salt of a day is created
 * by the first request that needs it, at most 5 s before the day begins, and deleted 48 hours after that. Processes
 * keep the salts that exist in memory.
 */
export class DailySalts {
  readonly #secrets: Secrets
  readonly #known = new Map<number, Salt>()

  constructor(secrets: Secrets) {
    this.#secrets = secrets
  }

  /**
   * Returns the salts of yesterday and today, and of tomorrow in the last 5 s of a day, when a client's clock may be
   * ahead. `now`: ms since the epoch.
   * @throws HopperError HOP_STORE_UNAVAILABLE
   */
  async at(now: number): Promise<Salts> {
    this.#forgetExpired(now)
    const days = new Set([now - DAY_MS, now, now + AHEAD_MS].map(utcDayOf))
    const salts = await Promise.all([...days].map(async (day) => [day, await this.#salt(day, now)] as const))
    return new Map(salts.flatMap(([day, salt]) => (salt ? [[day, salt] as const] : [])))
  }

  /** Deletes the salts that have expired. `now`: ms since the epoch. */
  async removeExpired(now: number): Promise<void> {
    this.#forgetExpired(now)
    await this.#secrets.removeExpired(now)
  }

  async #salt(day: number, now: number): Promise<Uint8Array | undefined> {
    const expiresAt = day * DAY_MS - AHEAD_MS + SALT_MS
    if (expiresAt <= now) return undefined
    let salt = this.#known.get(day)
    if (!salt) {
      const secret = this.#secrets.secret(`cookieless ${nameOf(day)}`, { now, expiresAt })
      this.#known.set(day, (salt = { secret, expiresAt }))
      secret.catch(() => this.#known.delete(day))
    }
    return salt.secret
  }

  #forgetExpired(now: number): void {
    for (const [day, { expiresAt }] of this.#known) if (expiresAt <= now) this.#known.delete(day)
  }
}

/** Returns the UTC day of an instant, in days since the epoch. */
export function utcDayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

function nameOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
