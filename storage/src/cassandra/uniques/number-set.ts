const BITS = 32

/** A bitmap of the numbers from 0 up to a highest one. */
export class NumberSet {
  readonly #words: Uint32Array

  constructor(highest: number) {
    this.#words = new Uint32Array(Math.floor(highest / BITS) + 1)
  }

  get bytes(): number {
    return this.#words.byteLength
  }

  add(number: number): void {
    this.#words[number >>> 5]! |= 1 << (number & 31)
  }

  has(number: number): boolean {
    const word = number >>> 5
    return word < this.#words.length && (this.#words[word]! & (1 << (number & 31))) !== 0
  }
}
