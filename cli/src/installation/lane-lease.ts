import type { Lanes, Lease } from '@hopper/storage'

const RENEWALS_PER_LEASE = 4

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

  /** Waits for the lane's lease to expire; rejects when its owner is alive. */
  static async take(lanes: Lanes, lane: number, owner: string): Promise<LaneLease> {
    return new LaneLease(lanes, await lanes.acquire(lane, owner))
  }

  get lease(): Lease {
    return this.#lease
  }

  set lease(lease: Lease) {
    this.#lease = lease
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await this.#renewing
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
      Math.max(0, this.#lease.expiresAt - performance.now()) / RENEWALS_PER_LEASE,
    )
  }
}
