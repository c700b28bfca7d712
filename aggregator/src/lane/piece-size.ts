import { monitorEventLoopDelay } from 'node:perf_hooks'

const BYTES_MIN = 16_000
const BYTES_MAX = 4_000_000
/** Target limit of the time that a piece blocks the thread. */
const BLOCKED_MS_MAX = 200
const SAMPLING_MS = 10

/**
 * Adapts the size of pieces of work so that other work of the thread need not wait: smaller after the thread was
 * blocked for long, larger after it was not. Large pieces cost less per event.
 */
export class PieceSize {
  readonly #delay = monitorEventLoopDelay({ resolution: SAMPLING_MS })
  #bytes = BYTES_MAX / 16

  get bytes(): number {
    return this.#bytes
  }

  begin(): void {
    this.#delay.reset()
    this.#delay.enable()
  }

  /** Adapts the size to the longest time that the thread was blocked since `begin`. */
  end(): void {
    this.#delay.disable()
    const blockedMs = this.#delay.max / 1e6
    if (blockedMs > BLOCKED_MS_MAX) this.#bytes = Math.max(BYTES_MIN, this.#bytes / 2)
    else if (blockedMs < BLOCKED_MS_MAX / 2) this.#bytes = Math.min(BYTES_MAX, this.#bytes * 2)
  }
}
