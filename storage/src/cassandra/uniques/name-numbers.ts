const FIRST_SLOTS = 1_024

/**
 * Assigns numbers from 1 on to 64-bit hashes, given as two halves. An open-addressing hash table that is at most half
 * full.
 */
export class NameNumbers {
  #slots = new Uint32Array(FIRST_SLOTS)
  #hashes = new Uint32Array(FIRST_SLOTS)
  #size = 0

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#slots.byteLength + this.#hashes.byteLength
  }

  numberOf(high: number, low: number): number {
    const mask = this.#slots.length - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]!
      if (number === 0) return this.#add(high, low, slot)
      if (this.#hashes[2 * number - 2] === high && this.#hashes[2 * number - 1] === low) return number
    }
  }

  /** The numbers of hashes given as halves, high and low alternating; 0 for `NOBODY`, whose halves are both 0. */
  numbersOf(halves: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(halves.length / 2)
    for (let index = 0; index < numbers.length; index++) {
      const low = halves[2 * index + 1]!
      if (low !== 0) numbers[index] = this.numberOf(halves[2 * index]!, low)
    }
    return numbers
  }

  #add(high: number, low: number, slot: number): number {
    const number = ++this.#size
    this.#slots[slot] = number
    this.#hashes[2 * number - 2] = high
    this.#hashes[2 * number - 1] = low
    if (2 * this.#size >= this.#slots.length) this.#grow()
    return number
  }

  /** Doubles both arrays: there are half as many numbers as slots, and two halves per number. */
  #grow(): void {
    const hashes = new Uint32Array(2 * this.#hashes.length)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    const slots = new Uint32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let number = 1; number <= this.#size; number++) {
      let slot = hashes[2 * number - 1]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number
    }
    this.#slots = slots
  }
}
