const BLOCK_FIRST = 256
const BLOCK_MAX = 8_192

/** A list of numbers that grows in blocks without copying. */
export class NumberList {
  length = 0
  readonly #full: Float64Array[] = []
  #block = new Float64Array(BLOCK_FIRST)
  /** numbers in the current block */
  #used = 0

  push(value: number): void {
    if (this.#used === this.#block.length) this.#next()
    this.#block[this.#used++] = value
    this.length++
  }

  /** Appends an array without copying; it must not change afterwards. */
  append(values: Float64Array): void {
    if (values.length === 0) return
    if (this.#used > 0) this.#full.push(this.#block.subarray(0, this.#used))
    this.#full.push(values)
    this.#block = new Float64Array(BLOCK_FIRST)
    this.#used = 0
    this.length += values.length
  }

  /** Returns the numbers as blocks, in order, without copying. */
  blocks(): Float64Array[] {
    return this.#used > 0 ? [...this.#full, this.#block.subarray(0, this.#used)] : [...this.#full]
  }

  /** Returns the numbers in one array. */
  view(): Float64Array {
    const blocks = this.blocks()
    if (blocks.length === 1) return blocks[0]!
    const all = new Float64Array(this.length)
    let offset = 0
    for (const block of blocks) {
      all.set(block, offset)
      offset += block.length
    }
    return all
  }

  #next(): void {
    this.#full.push(this.#block)
    this.#block = new Float64Array(Math.min(this.#block.length * 2, BLOCK_MAX))
    this.#used = 0
  }
}
