import type { PartHealth } from '@hopper/storage'

/** Shares of the budget: from the first on a process counts as near its bound, below the second no longer. */
const NEAR = 0.85
const FAR = 0.75
const MB = 1_000_000

/** Memory use of a process relative to its budget. */
export type MemoryLevel = 'within' | 'near' | 'over'

const REMEDY = 'raise HOPPER_MEMORY_MB or start another aggregator'

/** Measures the memory in use, and reports each crossing of a bound once. */
export class MemoryWatch {
  readonly total: number
  readonly #measure: () => number
  readonly #onCrossed: (level: MemoryLevel, used: number) => void
  #level: MemoryLevel = 'within'
  #used = 0
  /** time at which the level became `over` */
  #overSince: number | undefined

  /** `measure` returns the bytes that are in use now. */
  constructor(
    total: number,
    onCrossed: (level: MemoryLevel, used: number) => void,
    measure: () => number = () => process.memoryUsage.rss(),
  ) {
    this.total = total
    this.#onCrossed = onCrossed
    this.#measure = measure
  }

  get level(): MemoryLevel {
    return this.#level
  }

  /** bytes in use at the last measurement */
  get used(): number {
    return this.#used
  }

  /** seconds since the level became `over`; 0 while it is not */
  get overSeconds(): number {
    return this.#overSince === undefined ? 0 : Math.round((performance.now() - this.#overSince) / 1_000)
  }

  /**
   * Reports a process over its budget as healthy, since it still counts, only more slowly. The detail says why it is
   * slow, and what to do.
   */
  health(): PartHealth {
    if (this.#level !== 'over') return { name: 'memory', healthy: true }
    const [used, total] = [this.#used, this.total].map((bytes) => Math.round(bytes / MB))
    const excess = `${used} MB are in use, more than the ${total} MB allowed, for ${this.overSeconds} s`
    return { name: 'memory', healthy: true, detail: `${excess}: events are counted more slowly; ${REMEDY}` }
  }

  measure(): MemoryLevel {
    this.#used = this.#measure()
    const level = this.#levelOf(this.#used / this.total)
    if (level !== 'over') this.#overSince = undefined
    else this.#overSince ??= performance.now()
    if (level !== this.#level) this.#onCrossed(level, this.#used)
    return (this.#level = level)
  }

  /** Applies hysteresis: a process that hovers around a bound does not report it each second. */
  #levelOf(share: number): MemoryLevel {
    if (share >= 1) return 'over'
    if (share >= NEAR) return this.#level === 'over' && share >= (1 + NEAR) / 2 ? 'over' : 'near'
    return this.#level !== 'within' && share >= FAR ? 'near' : 'within'
  }
}
