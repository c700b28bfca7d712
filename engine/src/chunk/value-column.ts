import type { Value } from '@hopper/contracts'

/** The values of a column: row i has the value `values[codes[i]]`; `null` means that the event has none. */
export interface ValueCodes {
  readonly codes: Uint32Array
  readonly values: readonly (Value | null)[]
}

/** Assigns a code to each distinct value, in order of first occurrence. Values of different types are distinct. */
export class Dictionary {
  readonly values: (Value | null)[] = []
  /** total characters of all texts */
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

/** A column of a buffer: its name and the dictionary of its values so far. */
export class BufferedColumn {
  readonly name: string
  readonly dictionary = new Dictionary()
  #last: Value | undefined
  #code = 0

  constructor(name: string) {
    this.name = name
    this.dictionary.code(null)
  }

  /** Returns the code of a value. A column often repeats its last value, and comparing is cheaper than a lookup. */
  codeOf(value: Value): number {
    if (value !== this.#last) {
      this.#code = this.dictionary.code(value)
      this.#last = value
    }
    return this.#code
  }
}
