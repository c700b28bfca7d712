import { NO_RUN, type Postings } from '../chunk/postings.ts'
import type { TimeOffsets } from '../chunk/time-offsets.ts'

/** of so many rows of a code, one is of use: then it is looked for */
const FEW = 16
/** comes after all rows */
const LAST_ROW = 4_294_967_295

/** Some rows of a chunk, ascending: those from 1 up to `end`. At 0 stands one of no run, at `end` one that comes after all. Used again from chunk to chunk. */
export class PlacedRows {
  end = 1
  rows = new Uint32Array(2)
  runs = new Uint16Array(2).fill(NO_RUN)
  times = new Float64Array(2)
  /** when the latest attempt began that has come here */
  began = new Float64Array(2)

  /** Empties it, with room for so many. */
  clear(rows: number): void {
    this.end = 1
    if (this.rows.length >= rows + 2) return
    const room = Math.max(rows + 2, this.rows.length * 2)
    this.rows = new Uint32Array(room)
    this.runs = new Uint16Array(room).fill(NO_RUN)
    this.times = new Float64Array(room)
    this.began = new Float64Array(room)
  }

  /** Takes the rows of a code (-1 = none) whose runs have come to `level`: `reached` are rows of just these runs, where that is known. */
  take({ starts, rows, runs }: Postings, code: number, levels: Uint8Array, level: number, times: TimeOffsets, reached?: PlacedRows): void {
    const [begin, end] = code < 0 ? [0, 0] : [starts[code]!, starts[code + 1]!]
    this.clear(end - begin)
    this.end = reached && reached.end * FEW < end - begin
      ? pickFew(rows, runs, begin, end, reached, this.rows, this.runs)
      : pick(rows, runs, begin, end, levels, level, this.rows, this.runs)
    place(times, this.rows, this.times, this.end)
    this.rows[this.end] = LAST_ROW
  }

  /** Leaves only the rows from an instant on and before another. */
  keepBetween(from: number, until: number): void {
    const { rows, runs, times } = this
    let kept = 1
    for (let i = 1; i < this.end; i++) {
      const time = times[i]!
      if (time < from || time >= until) continue
      rows[kept] = rows[i]!
      runs[kept] = runs[i]!
      times[kept++] = time
    }
    rows[kept] = LAST_ROW
    this.end = kept
  }

  /** All rows are starts. */
  begin(): void {
    this.began.set(this.times.subarray(1, this.end), 1)
  }

  /** Takes those of `candidates` that come within the window of the latest start that has come to a row before them in `reached`. */
  takeWithin(windowMs: number, reached: PlacedRows, candidates: PlacedRows): void {
    this.clear(candidates.end)
    this.end = follow(windowMs, reached.rows, reached.runs, reached.began, candidates, this.rows, this.runs, this.times, this.began)
    this.rows[this.end] = LAST_ROW
  }
}

/** Without a branch, as is all here that can be so: which runs are of use can not be foretold. Answers the end. */
function pick(fromRows: Uint16Array, fromRuns: Uint16Array, begin: number, end: number, levels: Uint8Array, level: number, rows: Uint32Array, runs: Uint16Array): number {
  let at = 1
  for (let i = begin; i < end; i++) {
    const run = fromRuns[i]!
    rows[at] = fromRows[i]!
    runs[at] = run
    at += Number(levels[run]! >= level)
  }
  return at
}

/** Goes to the rows of each run in steps that double. Answers the end. */
function pickFew(fromRows: Uint16Array, fromRuns: Uint16Array, begin: number, end: number, { runs: wanted, end: count }: PlacedRows, rows: Uint32Array, runs: Uint16Array): number {
  let at = 1
  let next = begin
  for (let i = 1; i < count; i++) {
    const run = wanted[i]!
    if (run === wanted[i - 1]) continue
    next = firstNotBefore(fromRuns, run, next, end)
    for (; next < end && fromRuns[next] === run; next++) {
      rows[at] = fromRows[next]!
      runs[at++] = run
    }
  }
  return at
}

function firstNotBefore(runs: Uint16Array, run: number, from: number, end: number): number {
  let low = from
  let step = 1
  while (low + step < end && runs[low + step]! < run) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, end)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (runs[middle]! < run) low = middle + 1
    else high = middle
  }
  return low
}

/** A function of its own, as are all loops here: thus they are compiled into the tightest code. */
function place({ base, offsets }: TimeOffsets, rows: Uint32Array, times: Float64Array, end: number): void {
  for (let i = 1; i < end; i++) times[i] = base + offsets[rows[i]!]!
}

function follow(
  windowMs: number, reachedRows: Uint32Array, reachedRuns: Uint16Array, reachedBegan: Float64Array, { rows: fromRows, runs: fromRuns, times: fromTimes, end }: PlacedRows,
  rows: Uint32Array, runs: Uint16Array, times: Float64Array, began: Float64Array,
): number {
  let at = 1
  let next = 1
  for (let i = 1; i < end; i++) {
    const row = fromRows[i]!
    while (reachedRows[next]! < row) next++
    const run = fromRuns[i]!
    const time = fromTimes[i]!
    const start = reachedBegan[next - 1]!
    rows[at] = row
    runs[at] = run
    times[at] = time
    began[at] = start
    at += Number(reachedRuns[next - 1]! === run) & Number(time - start <= windowMs)
  }
  return at
}
