/** Parts of the whole at which a process is near its bound, and at which it no longer is. */
const NEAR = 0.85
const FAR = 0.75

/** Where a process stands to the memory that it may take. */
export type MemoryLevel = 'within' | 'near' | 'over'

/** Looks how much memory is used, and says so once each time a bound is crossed. */
export class MemoryWatch {
  readonly total: number
  readonly #measure: () => number
  readonly #crossed: (level: MemoryLevel, used: number) => void
  #level: MemoryLevel = 'within'
  #used = 0

  /** `measure` answers the bytes that are used now */
  constructor(total: number, crossed: (level: MemoryLevel, used: number) => void, measure: () => number = () => process.memoryUsage.rss()) {
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

  look(): MemoryLevel {
    this.#used = this.#measure()
    const level = this.#levelOf(this.#used / this.total)
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
