import type { ChunkSummary, Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import type { Codes } from '../chunk/encoding/codes.ts'
import { isAddressColumn, isPageKey, isPersonKey, presentColumns } from '../chunk/event-keys.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import type { Atom } from './compile-filters.ts'
import { keyColumn } from './key-column.ts'
import { ValueTruths } from './value-truths.ts'

/**
 * The rows of a chunk, classified by the atoms that hold for them: row i has the class `classes[codes[i]]`, and
 * `truths[class]` are the truth values of all atoms.
 */
export interface RowClasses {
  readonly codes: Codes
  readonly classes: Uint32Array
  readonly truths: readonly Uint8Array[]
}

const PAIRS_MAX = 1 << 20
/** Dictionary values between two budget checks: a regex may take milliseconds per value. */
const VALUES_PER_CHECK = 64

/**
 * Tests the atoms of `keys` (default: all) once per dictionary value, then joins the keys row by row. A single key
 * needs no pass over the rows. Pass the same `known` for all chunks of a query, so that each value is tested only once.
 */
export function classifyRows(
  chunk: Chunk,
  atoms: readonly Atom[],
  budget: Budget = unlimitedBudget,
  known = new ValueTruths(atoms),
  keys: Iterable<string> = new Set(atoms.map((atom) => atom.key)),
): RowClasses {
  let joined: RowClasses | undefined
  for (const key of keys) {
    const next = classifyKey(chunk, key, known, budget)
    joined = joined ? join(joined, next) : next
  }
  return (
    joined ?? {
      codes: new Uint8Array(chunk.summary.rows),
      classes: new Uint32Array(1),
      truths: [new Uint8Array(atoms.length)],
    }
  )
}

function classifyKey(chunk: Chunk, key: string, known: ValueTruths, budget: Budget): RowClasses {
  const column = keyColumn(chunk, key) ?? { codes: new Uint8Array(chunk.summary.rows), values: [null] }
  const numbers = new Map<Uint8Array, number>()
  const classes = new Uint32Array(column.values.length)
  for (let i = 0; i < classes.length; i++) {
    if (i % VALUES_PER_CHECK === 0) budget.check()
    const truth = known.of(key, column.values[i] as Value | null)
    let number = numbers.get(truth)
    if (number === undefined) numbers.set(truth, (number = numbers.size))
    classes[i] = number
  }
  return { codes: column.codes, classes, truths: [...numbers.keys()] }
}

function join(a: RowClasses, b: RowClasses): RowClasses {
  if (a.truths.length === 1)
    return { codes: b.codes, classes: b.classes, truths: b.truths.map((truth) => either(a.truths[0]!, truth)) }
  if (b.truths.length === 1)
    return { codes: a.codes, classes: a.classes, truths: a.truths.map((truth) => either(truth, b.truths[0]!)) }
  const width = b.truths.length
  const pairs = new Int32Array(Math.min(a.truths.length * width, PAIRS_MAX)).fill(-1)
  const more = new Map<number, number>()
  const truths: Uint8Array[] = []
  const rows = a.codes.length
  const codes = a.truths.length * width <= 256 ? new Uint8Array(rows) : new Uint32Array(rows)
  for (let i = 0; i < rows; i++) {
    const ca = a.classes[a.codes[i]!]!
    const cb = b.classes[b.codes[i]!]!
    const pair = ca * width + cb
    let number = pair < PAIRS_MAX ? pairs[pair]! : (more.get(pair) ?? -1)
    if (number < 0) {
      number = truths.length
      truths.push(either(a.truths[ca]!, b.truths[cb]!))
      if (pair < PAIRS_MAX) pairs[pair] = number
      else more.set(pair, number)
    }
    codes[i] = number
  }
  return { codes, classes: Uint32Array.from(truths, (_, i) => i), truths }
}

const either = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((bit, i) => bit | b[i]!)

/** Computes the possible outcomes of each atom in a chunk from its summary alone: 1 = true, 2 = false, 3 = either. */
export function possibleOutcomes(
  summary: ChunkSummary,
  atoms: readonly Atom[],
  known = new ValueTruths(atoms),
): Uint8Array {
  const outcomes = new Uint8Array(atoms.length).fill(3)
  for (const key of new Set(atoms.map((atom) => atom.key))) {
    // depends on the people, which a summary does not contain
    if (isPersonKey(key)) continue
    const columns = presentColumns(summary.columns, key)
    if (isPageKey(key) && columns.some(isAddressColumn)) continue
    if (columns.length > 1 || (columns.length === 1 && !Object.hasOwn(summary.values, columns[0]!))) continue
    const truths = (columns.length === 0 ? [null] : summary.values[columns[0]!]!).map((value) => known.of(key, value))
    atoms.forEach((atom, i) => {
      if (atom.key === key) outcomes[i] = truths.reduce((sum, truth) => sum | (truth[i] === 1 ? 1 : 2), 0)
    })
  }
  return outcomes
}
