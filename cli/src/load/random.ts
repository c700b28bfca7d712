import { hash } from 'node:crypto'

/** Random numbers derived from a seed text: the same seed gives the same numbers on every machine. */
export class Random {
  readonly #seed: string
  readonly #state: Uint32Array

  constructor(seed: string) {
    const digest = hash('sha256', seed, 'buffer')
    this.#seed = seed
    this.#state = Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset))
  }

  /** Returns an independent generator for one part: draws from it do not affect this one. */
  fork(part: string): Random {
    return new Random(`${this.#seed}/${part}`)
  }

  /** Returns 0 <= x < 1, by sfc32 of PractRand (public domain). */
  next(): number {
    const s = this.#state
    const sum = (s[0]! + s[1]! + s[3]!) >>> 0
    s[3] = s[3]! + 1
    s[0] = s[1]! ^ (s[1]! >>> 9)
    s[1] = s[2]! + (s[2]! << 3)
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + sum
    return sum / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Returns an integer, both bounds included. */
  integer(minimum: number, maximum: number): number {
    return minimum + Math.floor(this.next() * (maximum - minimum + 1))
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!
  }

  /** Returns one of the values, by their weights. */
  weighted<T>(values: readonly (readonly [value: T, weight: number])[]): T {
    let rest = this.next() * values.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [value, weight] of values) if ((rest -= weight) < 0) return value
    return values.at(-1)![0]
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  /** Returns a human delay: log-normal around a median, in whole ms. */
  durationMs(medianMs: number, sigma: number): number {
    return Math.max(1, Math.round(medianMs * Math.exp(sigma * this.normal())))
  }

  /** Returns 16 hex digits. */
  id(): string {
    return [0, 0]
      .map(() =>
        Math.floor(this.next() * 2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      )
      .join('')
  }
}
