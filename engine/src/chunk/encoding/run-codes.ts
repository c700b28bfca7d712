import type { Codes } from './codes.ts'

/** What the rows of each run have in common: most keys of a device never change. */
export interface RunCodes {
  /** the code of each run's first row */
  readonly first: Codes
  /** the runs, ascending, with a row of another code */
  readonly mixed: Uint32Array
}

/** `starts` are the runs' first rows and the end of the last. */
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
