/** A list of numbers that grows in one typed array. */
export class NumberList {
  length = 0
  #values = new Float64Array(256)

  static of(values: Float64Array): NumberList {
    const list = new NumberList()
    list.append(values)
    return list
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow(this.length * 2)
    this.#values[this.length++] = value
  }

  append(values: Float64Array): void {
    if (this.length + values.length > this.#values.length) this.#grow((this.length + values.length) * 2)
    this.#values.set(values, this.length)
    this.length += values.length
  }

  /** The values themselves, not a copy. */
  view(): Float64Array {
    return this.#values.subarray(0, this.length)
  }

  #grow(capacity: number): void {
    const grown = new Float64Array(capacity)
    grown.set(this.#values)
    this.#values = grown
  }
}
