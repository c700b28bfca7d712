import type { Codes } from './codes.ts'

/** The code that the rows of each run share: most keys of a device never change. */
export interface RunCodes {
  /** the code of each run's first row */
  readonly first: Codes
  /** the runs with a row of a different code, ascending */
  readonly mixed: Uint32Array
}

/** Computes the run codes of a column; `starts` contains the first row of each run and the end of the last. */
export function runCodesOf(codes: Codes, starts: Uint32Array): RunCodes {
  const runs = starts.length - 1
  const first = codes.slice(0, runs)
  const mixed = new Uint32Array(runs)
  let count = 0
  for (let run = 0; run < runs; run++) {
    const code = codes[starts[run]!]!
    let other = 0
    for (let row = starts[run]! + 1, end = starts[run + 1]!; row < end; row++) other |= codes[row]! ^ code
    first[run] = code
    mixed[count] = run
    count += Number(other !== 0)
  }
  return { first, mixed: mixed.slice(0, count) }
}
