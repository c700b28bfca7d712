type Numbers = Float64Array | Uint32Array | Uint8Array

/** A typed array that grows: its capacity doubles when it is full. */
export class GrowableArray<T extends Numbers> {
  #values: T
  length = 0

  constructor(values: T) {
    this.#values = values
  }

  /** Appends `count` zeros and returns the index of the first. */
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
    // Calls `extend` only when it must: on this hot path the call costs more than its work.
    if (this.length === this.#values.length) this.extend(1)
    else this.length++
    this.#values[this.length - 1] = value
  }

  /** The underlying array, which may be longer than `length`. Growing replaces it. */
  get values(): T {
    return this.#values
  }
}
