import type { Value } from '@hopper/contracts'
import type { ValueColumn } from '../chunk/chunk.ts'
import { type Dictionary } from '../chunk/value-column.ts'

/** The distinct values of a key, by number. All counters of a key share the numbers. */
export class DistinctValues {
  readonly #dictionary: Dictionary
  readonly #seen = new Set<number>()

  constructor(dictionary: Dictionary) {
    this.#dictionary = dictionary
  }

  get size(): number {
    return this.#seen.size
  }

  /** Creates the counter of a chunk, to be called for each row that counts. */
  counter(column: ValueColumn | undefined): (row: number) => void {
    if (!column) return () => undefined
    const counted = Uint8Array.from(column.values, (value) => (value === null ? 1 : 0))
    return (row) => {
      const code = column.codes[row]!
      if (counted[code] === 1) return
      counted[code] = 1
      this.add(this.#dictionary.code(column.values[code] as Value))
    }
  }

  add(number: number): void {
    this.#seen.add(number)
  }
}
