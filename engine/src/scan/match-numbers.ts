import type { Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { keyColumn } from '../filter/key-column.ts'

/**
 * Assigns numbers to tuples of values. Equal tuples have equal numbers in all chunks of a scan; an incomplete tuple is
 * -1.
 */
export class TupleNumbers {
  readonly #keys: readonly string[]
  readonly #numbers = new Map<string, number>()
  readonly names: string[] = []

  constructor(keys: readonly string[]) {
    this.#keys = keys
  }

  /** Returns the number of a tuple by its name. */
  number(name: string): number {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      this.#numbers.set(name, (number = this.names.length))
      this.names.push(name)
    }
    return number
  }

  /** Creates a reader that returns the tuple number of a row of a chunk. */
  reader(chunk: Chunk): (row: number) => number {
    const columns = this.#keys.map((key) => keyColumn(chunk, key))
    if (columns.some((column) => column === undefined)) return () => -1
    const [first] = columns
    if (columns.length === 1) {
      const table = Int32Array.from(first!.values, (value) => (value === null ? -1 : this.number(tupleName([value]))))
      return (row) => table[first!.codes[row]!]!
    }
    const known = new Map<string, number>()
    return (row) => {
      const codes = columns.map((column) => column!.codes[row]!)
      const name = codes.join()
      let number = known.get(name)
      if (number === undefined) {
        const values = columns.map((column, i) => column!.values[codes[i]!]!)
        known.set(name, (number = values.includes(null as unknown as Value) ? -1 : this.number(tupleName(values))))
      }
      return number
    }
  }
}

/** Returns the name of a tuple; it distinguishes types: "1" is not 1. */
export function tupleName(values: readonly (Value | null)[]): string {
  return JSON.stringify(values)
}
