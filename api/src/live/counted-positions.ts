import type { Lanes } from '@hopper/storage'

const CHECK_INTERVAL_MS = 500

/** The position of each lane before which everything is counted. Polls while somebody waits for a change. */
export class CountedPositions {
  readonly #lanes: Pick<Lanes, 'positions'>
  readonly #failed: (error: unknown) => void
  readonly #waiters = new Set<() => void>()
  #known: readonly number[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(lanes: Pick<Lanes, 'positions'>, failed: (error: unknown) => void) {
    this.#lanes = lanes
    this.#failed = failed
  }

  /** the positions at the last look */
  get known(): readonly number[] {
    return this.#known
  }

  /** Checks now. */
  async read(): Promise<readonly number[]> {
    const before = this.#known
    const positions = await this.#lanes.positions()
    this.#known = positions
    if (positions.some((position, lane) => position !== before[lane])) for (const wake of [...this.#waiters]) wake()
    return positions
  }

  /** Resolves at the next change of the known positions, or when the signal aborts. */
  change(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake)
        signal.removeEventListener('abort', wake)
        if (this.#waiters.size === 0) this.#rest()
        resolve()
      }
      this.#waiters.add(wake)
      signal.addEventListener('abort', wake)
      this.#timer ??= setTimeout(() => void this.#check(), CHECK_INTERVAL_MS)
    })
  }

  async #check(): Promise<void> {
    this.#timer = undefined
    await this.read().catch((error: unknown) => this.#failed(error))
    if (this.#waiters.size > 0) this.#timer ??= setTimeout(() => void this.#check(), CHECK_INTERVAL_MS)
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
