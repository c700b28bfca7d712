import type { PartHealth } from '@hopper/storage'

/** Parts of the whole at which a process is near its bound, and at which it no longer is. */
const NEAR = 0.85
const FAR = 0.75
const MB = 1_000_000

/** Where a process stands to the memory that it may take. */
export type MemoryLevel = 'within' | 'near' | 'over'

/** Looks how much memory is used, and says so once each time a bound is crossed. */
export class MemoryWatch {
  readonly total: number
  readonly #measure: () => number
  readonly #crossed: (level: MemoryLevel, used: number) => void
  #level: MemoryLevel = 'within'
  #used = 0
  /** since when the level is `over` */
  #overSince: number | undefined

  /** `measure` answers the bytes that are used now */
  constructor(
    total: number,
    crossed: (level: MemoryLevel, used: number) => void,
    measure: () => number = () => process.memoryUsage.rss(),
  ) {
    this.total = total
    this.#crossed = crossed
    this.#measure = measure
  }

  get level(): MemoryLevel {
    return this.#level
  }

  /** at the last look */
  get used(): number {
    return this.#used
  }

  /** how long the level has been `over`; 0 while it is not */
  get overSeconds(): number {
    return this.#overSince === undefined ? 0 : Math.round((performance.now() - this.#overSince) / 1_000)
  }

  /**
   * A process over its bound still counts, more slowly, so it is ready; the detail says why it is slow and what to do.
   */
  health(): PartHealth {
    if (this.#level !== 'over') return { name: 'memory', healthy: true }
    const [used, total] = [this.#used, this.total].map((bytes) => Math.round(bytes / MB))
    const over = `${used} MB are in use, more than the ${total} MB allowed, for ${this.overSeconds} s`
    return { name: 'memory', healthy: true, detail: `${over}: events are counted more slowly` }
  }

  look(): MemoryLevel {
    this.#used = this.#measure()
    const level = this.#levelOf(this.#used / this.total)
    if (level !== 'over') this.#overSince = undefined
    else this.#overSince ??= performance.now()
    if (level !== this.#level) this.#crossed(level, this.#used)
    return (this.#level = level)
  }

  /** Between two bounds nothing changes, so that a process that hovers at one does not say so each second. */
  #levelOf(share: number): MemoryLevel {
    if (share >= 1) return 'over'
    if (share >= NEAR) return this.#level === 'over' && share >= (1 + NEAR) / 2 ? 'over' : 'near'
    return this.#level !== 'within' && share >= FAR ? 'near' : 'within'
  }
}
