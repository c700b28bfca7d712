import type { Chunk } from '../chunk/chunk.ts'
import type { Codes } from '../chunk/encoding/codes.ts'
import type { RunCodes } from '../chunk/encoding/run-codes.ts'
import { holds, type Expression } from './compile-filters.ts'
import { keyColumn, keyRunCodes } from './key-column.ts'
import type { ValueTruths } from './value-truths.ts'

/** A filter that tests a single key. */
export interface KeyFilter {
  readonly key: string
  readonly expression: Expression
}

/** The rows of a chunk that pass filters. */
export interface Passing {
  /** by run: 0 = none of its rows pass; undefined when all rows of the chunk pass */
  readonly runs: Uint8Array | undefined
  /** by row: 1 = does not pass although its run does; undefined when there is no such row */
  readonly refused: Uint8Array | undefined
}

/**
 * Filters the devices of a chunk, usually without looking at individual rows. Returns undefined when nothing passes.
 */
export function passingRuns(chunk: Chunk, filters: readonly KeyFilter[], known: ValueTruths): Passing | undefined {
  let passing: Passing | undefined = { runs: undefined, refused: undefined }
  for (const filter of filters) passing = passing && passOne(chunk, filter, known, passing)
  return passing
}

function passOne(
  chunk: Chunk,
  { key, expression }: KeyFilter,
  known: ValueTruths,
  before: Passing,
): Passing | undefined {
  const column = keyColumn(chunk, key)
  if (!column) return holds(expression, known.of(key, null)) ? before : undefined
  const table = Uint8Array.from(column.values, (value) => Number(holds(expression, known.of(key, value))))
  if (!table.includes(0)) return before
  if (!table.includes(1)) return undefined
  const { first, mixed } = keyRunCodes(chunk, key, column)
  const runs = passFirst(table, first, before.runs)
  const { starts } = chunk.runs()
  let refused = before.refused
  for (const run of mixed) {
    if (before.runs?.[run] === 0) continue
    refused ??= new Uint8Array(chunk.summary.rows)
    runs[run] = refuseRows(refused, table, column.codes, starts[run]!, starts[run + 1]!)
  }
  return runs.includes(1) ? { runs, refused } : undefined
}

function passFirst(table: Uint8Array, first: RunCodes['first'], before: Uint8Array | undefined): Uint8Array {
  const runs = new Uint8Array(first.length)
  if (before) for (let run = 0; run < runs.length; run++) runs[run] = before[run]! & table[first[run]!]!
  else for (let run = 0; run < runs.length; run++) runs[run] = table[first[run]!]!
  return runs
}

/** Marks the rows that do not pass; returns 1 if any row is left, else 0. */
function refuseRows(refused: Uint8Array, table: Uint8Array, codes: Codes, begin: number, end: number): number {
  let left = 0
  for (let row = begin; row < end; row++) {
    refused[row]! |= 1 - table[codes[row]!]!
    left |= 1 - refused[row]!
  }
  return left
}
