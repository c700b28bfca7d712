import { NO_RUN } from '../chunk/postings.ts'
import { PlacedRows } from './placed-rows.ts'

/** What is known of each run of a chunk. Used again from chunk to chunk. */
export class RunStates {
  /** its furthest step, and when it first comes there */
  levels = new Uint8Array(0)
  arrivals = new Float64Array(0)
  /** when its attempt began; the row and the instant that it has come to */
  began = new Float64Array(0)
  rows = new Uint32Array(0)
  times = new Float64Array(0)
  /** what was seen of the next step, and the place of its next row; one more for what belongs to no run */
  sights = new Uint8Array(0)
  places = new Uint32Array(NO_RUN + 1)
  /** the runs that go on, ascending */
  active = new Uint32Array(0)

  clear(runs: number): void {
    if (this.levels.length < runs) {
      this.levels = new Uint8Array(runs)
      this.arrivals = new Float64Array(runs)
      this.began = new Float64Array(runs)
      this.rows = new Uint32Array(runs)
      this.times = new Float64Array(runs)
      this.sights = new Uint8Array(runs)
      this.active = new Uint32Array(runs)
    }
    this.levels.fill(0)
  }
}

/** What the search for the attempts of a chunk writes into. One is enough for a thread: nothing of it is read after the chunk. */
export class AttemptSpace {
  /** rows that attempts come to, of the step before and of the present one */
  readonly reached = new PlacedRows()
  readonly next = new PlacedRows()
  readonly runs = new RunStates()
  readonly #rows: PlacedRows[] = []

  /** The rows of each step, from 1, of the runs that have come to the step before. */
  rowsOf(steps: number): readonly PlacedRows[] {
    while (this.#rows.length <= steps) this.#rows.push(new PlacedRows())
    return this.#rows
  }
}
