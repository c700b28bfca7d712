import type { Value } from '@hopper/contracts'
import type { ValueCodes } from './value-column.ts'

/**
 * Builds dictionaries that contain only the values of some rows. Codes are assigned in order of first occurrence, so
 * that runs of new values ascend. The cost depends on the rows, not on the size of the dictionary that they share.
 */
export class DropUnused {
  /** new code by old code; only valid if it was assigned in the current turn */
  #renamed = new Uint32Array(1_024)
  #turns = new Uint32Array(1_024)
  #turn = 0

  from({ codes, values }: ValueCodes): ValueCodes {
    this.#begin(values.length)
    const [renamed, turns, turn] = [this.#renamed, this.#turns, this.#turn]
    const kept: (Value | null)[] = []
    const out = new Uint32Array(codes.length)
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!
      if (turns[code] !== turn) {
        turns[code] = turn
        renamed[code] = kept.length
        kept.push(values[code]!)
      }
      out[i] = renamed[code]!
    }
    return { codes: out, values: kept }
  }

  #begin(size: number): void {
    if (size > this.#turns.length || this.#turn === 0xffffffff) {
      const length = Math.max(size, Math.min(2 * this.#turns.length, 1 << 20))
      this.#renamed = new Uint32Array(length)
      this.#turns = new Uint32Array(length)
      this.#turn = 0
    }
    this.#turn++
  }
}
