type Numbers = Float64Array | Uint32Array | Uint8Array

/** Numbers in a row whose count is not known before: the memory doubles when it is full. */
export class GrowableArray<T extends Numbers> {
  #values: T
  length = 0

  constructor(values: T) {
    this.#values = values
  }

  /** Makes room for so many more, all 0, and answers where they begin. */
  extend(count: number): number {
    const begin = this.length
    this.length += count
    if (this.length > this.#values.length) {
      const larger = new (this.#values.constructor as new (length: number) => T)(
        Math.max(this.length, 2 * this.#values.length),
      )
      larger.set(this.#values.subarray(0, begin))
      this.#values = larger
    }
    return begin
  }

  push(value: number): void {
    // Calls that are not needed cost more here than what they do.
    if (this.length === this.#values.length) this.extend(1)
    else this.length++
    this.#values[this.length - 1] = value
  }

  /** All of them, until the next is added. */
  get values(): T {
    return this.#values
  }
}
