import type { Value } from '@hopper/contracts'
import type { ValueColumn } from '../chunk/chunk.ts'
import { type Dictionary } from '../chunk/value-column.ts'

/** The different values of one key that some rows have, by number; numbers are shared by all that count the key. */
export class DistinctValues {
  readonly #dictionary: Dictionary
  readonly #seen = new Set<number>()

  constructor(dictionary: Dictionary) {
    this.#dictionary = dictionary
  }

  get size(): number {
    return this.#seen.size
  }

  /** Makes the counter of a chunk: call it for each row that counts. */
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
