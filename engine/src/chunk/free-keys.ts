import type { Value } from '@hopper/contracts'
import { Dictionary } from './value-column.ts'

/** Approximate memory of a key and of a value, in addition to their characters. */
const KEY_BYTES = 150
const VALUE_BYTES = 100

/**
 * Keys whose names senders choose. All of them share one dictionary of values, so a key that occurs only once costs
 * little more than its text.
 */
export class FreeKeys {
  /** column names of the keys, by key number */
  readonly names: string[] = []
  readonly #dictionary = new Dictionary()
  readonly #numbers = new Map<string, Map<string, number>>()
  readonly #lastValues: (Value | undefined)[] = []
  readonly #lastCodes: number[] = []
  #chars = 0

  constructor() {
    this.#dictionary.code(null)
  }

  get values(): readonly (Value | null)[] {
    return this.#dictionary.values
  }

  /** Estimates the memory used, in bytes. */
  get bytes(): number {
    return this.names.length * KEY_BYTES + this.values.length * VALUE_BYTES + this.#chars + this.#dictionary.chars
  }

  /** Returns the number of a key. The prefix is a separate parameter so that a known key needs no concatenation. */
  numberOf(prefix: string, name: string): number {
    let entry = this.#numbers.get(prefix)
    if (!entry) this.#numbers.set(prefix, (entry = new Map<string, number>()))
    let number = entry.get(name)
    if (number === undefined) {
      entry.set(name, (number = this.names.length))
      this.names.push(prefix + name)
      this.#lastValues.push(undefined)
      this.#lastCodes.push(0)
      this.#chars += prefix.length + 2 * name.length
    }
    return number
  }

  /** Returns the code of a value. A key often repeats its last value, and comparing is cheaper than a lookup. */
  codeOf(key: number, value: Value): number {
    if (value !== this.#lastValues[key]) {
      this.#lastCodes[key] = this.#dictionary.code(value)
      this.#lastValues[key] = value
    }
    return this.#lastCodes[key]!
  }
}
