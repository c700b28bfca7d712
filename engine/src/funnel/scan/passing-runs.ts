import type { Codes } from '../../chunk/encoding/codes.ts'
import type { TimeOffsets } from '../../chunk/encoding/time-offsets.ts'
import type { Prepared } from './gather-rows.ts'

/** The runs of a chunk that its filters let pass, some at a time. Used again for the next. */
export class PassingRuns {
  runs = new Uint32Array(1024)
  count = 0
  /** of no meaning; kept so that the reading is not left out by the compiler */
  near = 0

  /**
   * Lists those from `first` up to `last`, without a branch that no processor foresees, and reads where their rows
   * begin and end: the rows of few devices lie far apart, so each would be waited for by itself when it is walked. Read
   * here, one after the other and with nothing that depends on them, many are under way at once.
   */
  list(
    { runs: passing, starts, codes, times: { offsets }, groupTable, groupCodes }: Prepared,
    first: number,
    last: number,
  ): void {
    if (this.runs.length < last - first) this.runs = new Uint32Array((last - first) * 2)
    this.count = listed(this.runs, passing!, first, last)
    this.near = read(codes, starts, this.runs, this.count) + read(offsets, starts, this.runs, this.count)
    if (groupTable.length > 0) this.near += read(groupCodes, starts, this.runs, this.count)
  }
}

function listed(out: Uint32Array, passing: Uint8Array, first: number, last: number): number {
  let count = 0
  for (let run = first; run < last; run++) {
    out[count] = run
    count += passing[run]!
  }
  return count
}

function read(column: Codes | TimeOffsets['offsets'], starts: Uint32Array, runs: Uint32Array, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const run = runs[i]!
    sum = (sum + column[starts[run]!]! + column[starts[run + 1]! - 1]!) | 0
  }
  return sum
}
