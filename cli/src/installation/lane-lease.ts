import type { Lanes, Lease } from '@hopper/storage'

const RENEWALS_PER_LEASE = 4
/** Minimum time between two renewals: those of an expired lease fail until the store answers again. */
const RENEW_MS_MIN = 100

/** Ownership of a lane: its lease is renewed until it is released. */
export class LaneLease implements AsyncDisposable {
  readonly #lanes: Lanes
  #lease: Lease
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> = Promise.resolve()

  private constructor(lanes: Lanes, lease: Lease) {
    this.#lanes = lanes
    this.#lease = lease
    this.#timer = this.#schedule()
  }

  /** Waits for the lease of another owner to expire, if there is one; rejects when that owner keeps renewing it. */
  static async take(lanes: Lanes, lane: number, owner: string): Promise<LaneLease> {
    return new LaneLease(lanes, await lanes.acquire(lane, owner))
  }

  get lease(): Lease {
    return this.#lease
  }

  /** A batch that is written under the lease may return a newer one. */
  set lease(lease: Lease) {
    this.#lease = lease
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await this.#renewing
    // The renewal that was in flight has scheduled the next.
    clearTimeout(this.#timer)
    await this.#lanes.release(this.#lease)
  }

  #schedule(): NodeJS.Timeout | undefined {
    if (this.#lease.expiresAt === Infinity) return undefined
    return setTimeout(
      () => {
        this.#renewing = this.#lanes
          .renew(this.#lease)
          .then(
            (lease) => void (this.#lease = lease),
            // A write under an expired lease is refused, so the failure shows there.
            () => undefined,
          )
          .finally(() => (this.#timer = this.#schedule()))
      },
      Math.max(RENEW_MS_MIN, (this.#lease.expiresAt - performance.now()) / RENEWALS_PER_LEASE),
    )
  }
}
