import type { Codes } from '../../chunk/encoding/codes.ts'
import type { TimeOffsets } from '../../chunk/encoding/time-offsets.ts'
import type { Prepared } from './gather-rows.ts'

/** Lists the runs of a chunk that pass its filters, one range at a time. Reused for the next range. */
export class PassingRuns {
  runs = new Uint32Array(1024)
  count = 0
  /** meaningless sum; stored so that the compiler does not eliminate the prefetching reads */
  near = 0

  /**
   * Lists the passing runs from `first` up to `last` without an unpredictable branch, and prefetches the first and last
   * row of each. If few devices pass, their rows are far apart, and the walk would wait for memory at each of them.
   * Independent consecutive reads keep many cache misses in flight concurrently.
   */
  list(
    { runs: passing, starts, codes, times: { offsets }, groupTable, groupCodes }: Prepared,
    first: number,
    last: number,
  ): void {
    if (this.runs.length < last - first) this.runs = new Uint32Array((last - first) * 2)
    this.count = listPassing(this.runs, passing!, first, last)
    this.near = read(codes, starts, this.runs, this.count) + read(offsets, starts, this.runs, this.count)
    if (groupTable.length > 0) this.near += read(groupCodes, starts, this.runs, this.count)
  }
}

function listPassing(out: Uint32Array, passing: Uint8Array, first: number, last: number): number {
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
