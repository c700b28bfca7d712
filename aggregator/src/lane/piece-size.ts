import { monitorEventLoopDelay } from 'node:perf_hooks'

const BYTES_MIN = 16_000
const BYTES_MAX = 4_000_000
/** The longest that a piece may keep the thread from all else. */
const BLOCKED_MS_MAX = 200
const LOOK_MS = 10

/**
 * The size of pieces of work that must not keep the others of a thread waiting: smaller after the thread was blocked
 * for long, larger after it was not. Large pieces cost less for each event.
 */
export class PieceSize {
  readonly #delay = monitorEventLoopDelay({ resolution: LOOK_MS })
  #bytes = BYTES_MAX / 16

  get bytes(): number {
    return this.#bytes
  }

  begin(): void {
    this.#delay.reset()
    this.#delay.enable()
  }

  /** Learns from how long the thread was blocked since `begin`. */
  end(): void {
    this.#delay.disable()
    const blockedMs = this.#delay.max / 1e6
    if (blockedMs > BLOCKED_MS_MAX) this.#bytes = Math.max(BYTES_MIN, this.#bytes / 2)
    else if (blockedMs < BLOCKED_MS_MAX / 2) this.#bytes = Math.min(BYTES_MAX, this.#bytes * 2)
  }
}
