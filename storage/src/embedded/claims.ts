import type { Claims } from '../ports/registry.ts'

interface Claim {
  readonly holder: string
  /** by `performance.now()` */
  readonly expiresAt: number
}

/** Claims in memory: a data directory belongs to one process at a time, so they end with that process. */
export class EmbeddedClaims implements Claims {
  readonly #claims = new Map<string, Claim>()

  async claim(name: string, holder: string, leaseMs: number): Promise<boolean> {
    const now = performance.now()
    for (const [each, { expiresAt }] of this.#claims) if (expiresAt <= now) this.#claims.delete(each)
    const found = this.#claims.get(name)
    if (found && found.holder !== holder) return false
    this.#claims.set(name, { holder, expiresAt: now + leaseMs })
    return true
  }

  async release(name: string, holder: string): Promise<void> {
    if (this.#claims.get(name)?.holder === holder) this.#claims.delete(name)
  }
}
