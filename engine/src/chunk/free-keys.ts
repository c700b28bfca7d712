import type { Value } from '@hopper/contracts'
import { Dictionary } from './value-column.ts'

/** Memory of a key and of a value beside their characters, about. */
const KEY_BYTES = 150
const VALUE_BYTES = 100

/**
 * Keys whose names senders choose, with one dictionary of values for all of them: a key that is never met again costs
 * little more than its text.
 */
export class FreeKeys {
  /** the columns of the keys, by their numbers */
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

  /** An estimate of the memory that they take. */
  get bytes(): number {
    return this.names.length * KEY_BYTES + this.values.length * VALUE_BYTES + this.#chars + this.#dictionary.chars
  }

  /** The prefix stands apart, so that a key that is known costs no new text. */
  numberOf(prefix: string, name: string): number {
    let own = this.#numbers.get(prefix)
    if (!own) this.#numbers.set(prefix, (own = new Map()))
    let number = own.get(name)
    if (number === undefined) {
      own.set(name, (number = this.names.length))
      this.names.push(prefix + name)
      this.#lastValues.push(undefined)
      this.#lastCodes.push(0)
      this.#chars += prefix.length + 2 * name.length
    }
    return number
  }

  /** A value often follows an equal one of its key, and to compare them costs less than to look one up. */
  codeOf(key: number, value: Value): number {
    if (value !== this.#lastValues[key]) {
      this.#lastCodes[key] = this.#dictionary.code(value)
      this.#lastValues[key] = value
    }
    return this.#lastCodes[key]!
  }
}
