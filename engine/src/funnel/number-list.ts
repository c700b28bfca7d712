const BLOCK_FIRST = 256
const BLOCK_MAX = 8_192

/** A list of numbers that grows block by block and never copies what it has. */
export class NumberList {
  length = 0
  readonly #full: Float64Array[] = []
  #block = new Float64Array(BLOCK_FIRST)
  /** numbers in the present block */
  #used = 0

  push(value: number): void {
    if (this.#used === this.#block.length) this.#next()
    this.#block[this.#used++] = value
    this.length++
  }

  /** The numbers in one array. */
  view(): Float64Array {
    const all = new Float64Array(this.length)
    let at = 0
    for (const block of [...this.#full, this.#block.subarray(0, this.#used)]) {
      all.set(block, at)
      at += block.length
    }
    return all
  }

  #next(): void {
    this.#full.push(this.#block)
    this.#block = new Float64Array(Math.min(this.#block.length * 2, BLOCK_MAX))
    this.#used = 0
  }
}
