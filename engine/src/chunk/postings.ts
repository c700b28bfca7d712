import type { Codes } from './codes.ts'

/** The rows of each code of a column, ascending: code c has the places from `starts[c]` up to `starts[c + 1]`. */
export interface Postings {
  readonly starts: Uint32Array
  readonly rows: Uint16Array
  /** the run of each row */
  readonly runs: Uint16Array
}

/** so that no run is NO_RUN */
const ROWS_MAX = 65_535
/** the run of a row that there is none of */
export const NO_RUN = 65_535

/** `values` is the number of codes; undefined for more rows than a place can tell. */
export function postingsOf(codes: Codes, values: number, runStarts: Uint32Array): Postings | undefined {
  if (codes.length > ROWS_MAX) return undefined
  const starts = new Uint32Array(values + 1)
  for (let row = 0; row < codes.length; row++) starts[codes[row]! + 1]!++
  for (let code = 0; code < values; code++) starts[code + 1]! += starts[code]!
  const next = starts.slice()
  const postings = { starts, rows: new Uint16Array(codes.length), runs: new Uint16Array(codes.length) }
  for (let run = 0; run < runStarts.length - 1; run++) {
    for (let row = runStarts[run]!; row < runStarts[run + 1]!; row++) {
      const place = next[codes[row]!]!++
      postings.rows[place] = row
      postings.runs[place] = run
    }
  }
  return postings
}
