import { binTimes, type BinnedTimes, type Durations } from './binned-times.ts'
import type { Followed } from './followed.ts'

const ROOM_FIRST = 1_024

/** The durations of all units by step and group. */
export class TakenTimes {
  #length = 0
  #ms: Durations
  #steps = new Uint8Array(ROOM_FIRST)
  #groups = new Uint16Array(ROOM_FIRST)

  /** `narrow` when all are below 2^32 ms: they take half the room. */
  constructor(narrow: boolean) {
    this.#ms = narrow ? new Uint32Array(ROOM_FIRST) : new Float64Array(ROOM_FIRST)
  }

  add(ms: number, step: number, group: number): void {
    this.#reserve(1)
    this.#ms[this.#length] = ms
    this.#steps[this.#length] = step
    this.#groups[this.#length++] = group
  }

  /** Those of units whose first attempt is the furthest; `groups` are theirs by run. */
  addFollowed(followed: Followed, groups: Uint16Array | undefined): void {
    const { gaps, gapMs, gapSteps, gapOf } = followed
    this.#reserve(gaps)
    copy(gapMs, gapSteps, gaps, this.#ms, this.#steps, this.#length)
    if (groups) for (let i = 0; i < gaps; i++) this.#groups[this.#length + i] = groups[gapOf[i]!]!
    this.#length += gaps
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#ms.length) return
    const room = Math.max(needed, this.#ms.length * 2)
    const [ms, steps, groups] = [this.#ms, this.#steps, this.#groups]
    this.#ms = ms instanceof Uint32Array ? new Uint32Array(room) : new Float64Array(room)
    this.#steps = new Uint8Array(room)
    this.#groups = new Uint16Array(room)
    this.#ms.set(ms)
    this.#steps.set(steps)
    this.#groups.set(groups)
  }

  /** By group and step: `[group * steps + step]`. */
  binned(groups: number, steps: number): BinnedTimes[] {
    const ends = new Uint32Array(groups * steps)
    const length = this.#length
    for (let i = 0; i < length; i++) ends[this.#groups[i]! * steps + this.#steps[i]!]!++
    for (let k = 1; k < ends.length; k++) ends[k]! += ends[k - 1]!
    const sorted = this.#ms instanceof Uint32Array ? new Uint32Array(length) : new Float64Array(length)
    for (let i = length - 1; i >= 0; i--) sorted[--ends[this.#groups[i]! * steps + this.#steps[i]!]!] = this.#ms[i]!
    return Array.from(ends, (begin, k) => binTimes(sorted.subarray(begin, ends[k + 1] ?? length)))
  }
}

function copy(fromMs: Float64Array, fromSteps: Uint8Array, length: number, ms: Durations, steps: Uint8Array, at: number): void {
  for (let i = 0; i < length; i++) {
    ms[at + i] = fromMs[i]!
    steps[at + i] = fromSteps[i]!
  }
}
