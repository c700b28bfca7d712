import { hash, randomBytes } from 'node:crypto'
import { HopperError } from '@hopper/contracts'

interface Window {
  count: number
  readonly endsAt: number
}

/**
 * Counts failures per subject in fixed windows, with bounded memory. Subjects are stored as salted hashes, never as
 * names or addresses.
 */
export class FailureCounter {
  private readonly windows = new Map<string, Window>()
  private readonly salt = randomBytes(16).toString('hex')

  private readonly max: number
  private readonly windowMs: number
  private readonly subjectsMax: number

  constructor(max: number, windowMs: number, subjectsMax = 10_000) {
    this.max = max
    this.windowMs = windowMs
    this.subjectsMax = subjectsMax
  }

  /** @throws HopperError HOP_RATE once the subject has used up its current window */
  check(subject: string, now: number): void {
    const window = this.windows.get(this.key(subject))
    if (!window || window.endsAt <= now || window.count < this.max) return
    throw new HopperError('HOP_RATE', 'Too many failed logins.', {
      details: { retry_after_seconds: Math.ceil((window.endsAt - now) / 1000) },
    })
  }

  fail(subject: string, now: number): void {
    const key = this.key(subject)
    const window = this.windows.get(key)
    if (window && window.endsAt > now) {
      window.count++
      return
    }
    this.windows.delete(key)
    if (this.windows.size >= this.subjectsMax) this.makeRoom(now)
    this.windows.set(key, { count: 1, endsAt: now + this.windowMs })
  }

  /** Clears the failures of a subject that has authenticated. */
  succeed(subject: string): void {
    this.windows.delete(this.key(subject))
  }

  /** Subtracts one failure. */
  forgive(subject: string): void {
    const window = this.windows.get(this.key(subject))
    if (window && window.count > 0) window.count--
  }

  /** Windows are ordered by their end, so the first ones expire first. */
  private makeRoom(now: number): void {
    for (const [key, window] of this.windows) {
      if (window.endsAt > now && this.windows.size < this.subjectsMax) break
      this.windows.delete(key)
    }
  }

  private key(subject: string): string {
    return hash('sha256', this.salt + subject)
  }
}
