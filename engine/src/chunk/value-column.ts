import type { Value } from '@hopper/contracts'

/** The values of one column: row i has `values[codes[i]]`; `null` when the event has no value. */
export interface ValueCodes {
  readonly codes: Uint32Array
  readonly values: readonly (Value | null)[]
}

/** Gives equal values the same code, in the order in which they are met. Types are kept apart. */
export class Dictionary {
  readonly values: (Value | null)[] = []
  /** of all texts together */
  chars = 0
  readonly #codes = new Map<Value | null, number>()

  code(value: Value | null): number {
    let code = this.#codes.get(value)
    if (code === undefined) {
      this.#codes.set(value, (code = this.values.length))
      this.values.push(value)
      if (typeof value === 'string') this.chars += value.length
    }
    return code
  }
}

/** What a column of a buffer has met. */
export class BufferedColumn {
  readonly name: string
  readonly dictionary = new Dictionary()
  #last: Value | undefined
  #code = 0

  constructor(name: string) {
    this.name = name
    this.dictionary.code(null)
  }

  /** A value often follows an equal one, and to compare them costs less than to look one up. */
  codeOf(value: Value): number {
    if (value !== this.#last) {
      this.#code = this.dictionary.code(value)
      this.#last = value
    }
    return this.#code
  }
}
