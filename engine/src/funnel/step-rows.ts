import type { Codes } from '../chunk/codes.ts'
import type { TimeOffsets } from '../chunk/time-offsets.ts'
import type { Prepared } from './gather-rows.ts'

/** The rows of a chunk that serve a step of a simple plan, close together: most often a third of all. Used again from chunk to chunk. */
export class StepRows {
  /** runs with such rows */
  units = 0
  /** the run of each unit */
  runs = new Uint32Array(0)
  /** behind its last row: unit u has the rows from `ends[u - 1]` (0 for the first) up to `ends[u]` */
  ends = new Uint32Array(0)
  /** of each row, the row of the chunk */
  rows = new Uint32Array(0)
  /** the step that it serves, from 1 */
  steps = new Uint8Array(0)
  times = new Float64Array(0)

  /** Takes those of the runs from `first` up to `last` that are 1 in `passing`, and lie in the query's range. */
  take({ codes, steps: table, starts, times, inside, from, until }: Prepared, passing: Uint8Array, first: number, last: number): void {
    this.#reserve(codes.length, starts.length)
    this.units = pick(codes, table, starts, passing, first, last, this.rows, this.steps, this.runs, this.ends)
    const length = this.units > 0 ? this.ends[this.units - 1]! : 0
    place(times, this.rows, this.times, length)
    if (!inside) this.#keepBetween(from, until)
  }

  /** One more than there can be: what serves no step is written over by the next. */
  #reserve(rows: number, runs: number): void {
    if (this.rows.length <= rows) {
      this.rows = new Uint32Array(rows + 1)
      this.steps = new Uint8Array(rows + 1)
      this.times = new Float64Array(rows + 1)
    }
    if (this.runs.length <= runs) {
      this.runs = new Uint32Array(runs + 1)
      this.ends = new Uint32Array(runs + 1)
    }
  }

  #keepBetween(from: number, until: number): void {
    const { units, ends, rows, steps, times } = this
    let kept = 0
    for (let unit = 0, i = 0; unit < units; unit++) {
      for (const end = ends[unit]!; i < end; i++) {
        const time = times[i]!
        if (time < from || time >= until) continue
        rows[kept] = rows[i]!
        steps[kept] = steps[i]!
        times[kept++] = time
      }
      ends[unit] = kept
    }
  }
}

/** Without a branch by step: which rows serve one can not be foretold. Answers the number of units. */
function pick(
  codes: Codes, table: Uint8Array, starts: Uint32Array, passing: Uint8Array, first: number, last: number,
  rows: Uint32Array, steps: Uint8Array, runs: Uint32Array, ends: Uint32Array,
): number {
  let length = 0
  let units = 0
  for (let run = first; run < last; run++) {
    if (passing[run] === 0) continue
    const begin = length
    const end = starts[run + 1]!
    for (let row = starts[run]!; row < end; row++) {
      const step = table[codes[row]!]!
      rows[length] = row
      steps[length] = step
      // 1 for a step, 0 for none
      length += (step + 255) >>> 8
    }
    runs[units] = run
    ends[units] = length
    units += Number(length > begin)
  }
  return units
}

/** A function of its own, as is every loop here: thus it is compiled into the tightest code. */
function place({ base, offsets }: TimeOffsets, rows: Uint32Array, times: Float64Array, length: number): void {
  for (let i = 0; i < length; i++) times[i] = base + offsets[rows[i]!]!
}
