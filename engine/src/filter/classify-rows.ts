import type { ChunkSummary } from '@hopper/contracts'
import type { Chunk, Codes } from '../chunk/chunk.ts'
import { columnsOfKey } from '../chunk/event-keys.ts'
import { endless, type Budget } from '../scan/budget.ts'
import type { Atom } from './compile-filters.ts'
import { keyColumn } from './key-column.ts'

/** The rows of a chunk by which atoms hold for them: row i is of class `classes[codes[i]]`, for which `truths[class]` are the atoms that hold. */
export interface RowClasses {
  readonly codes: Codes
  readonly classes: Uint32Array
  readonly truths: readonly Uint8Array[]
}

const PAIRS_MAX = 1 << 20
/** dictionary values between two looks at the clock: a regex may take milliseconds for each */
const VALUES_PER_CHECK = 64

/** Tests every atom once per dictionary value, then joins the keys row by row. One key costs no pass over the rows. */
export function classifyRows(chunk: Chunk, atoms: readonly Atom[], budget: Budget = endless): RowClasses {
  const keys = [...new Set(atoms.map((atom) => atom.key))]
  let joined: RowClasses | undefined
  for (const key of keys) {
    const next = classifyKey(chunk, key, atoms, budget)
    joined = joined ? join(joined, next) : next
  }
  return joined ?? { codes: new Uint8Array(chunk.summary.rows), classes: new Uint32Array(1), truths: [new Uint8Array(atoms.length)] }
}

function classifyKey(chunk: Chunk, key: string, atoms: readonly Atom[], budget: Budget): RowClasses {
  const column = keyColumn(chunk, key) ?? { codes: new Uint8Array(chunk.summary.rows), values: [null] }
  const numbers = new Map<string, number>()
  const truths: Uint8Array[] = []
  const classes = Uint32Array.from(column.values, (value, i) => {
    if (i % VALUES_PER_CHECK === 0) budget.check()
    const truth = Uint8Array.from(atoms, (atom) => (atom.key === key && atom.test(value) ? 1 : 0))
    const name = truth.join('')
    let number = numbers.get(name)
    if (number === undefined) {
      numbers.set(name, (number = truths.length))
      truths.push(truth)
    }
    return number
  })
  return { codes: column.codes, classes, truths }
}

function join(a: RowClasses, b: RowClasses): RowClasses {
  if (a.truths.length === 1) return { codes: b.codes, classes: b.classes, truths: b.truths.map((truth) => either(a.truths[0]!, truth)) }
  if (b.truths.length === 1) return { codes: a.codes, classes: a.classes, truths: a.truths.map((truth) => either(truth, b.truths[0]!)) }
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

/** What each atom can come out as in a chunk, told from its summary alone: 1 = true, 2 = false, 3 = either. */
export function possibleOutcomes(summary: ChunkSummary, atoms: readonly Atom[]): Uint8Array {
  return Uint8Array.from(atoms, (atom) => {
    const columns = columnsOfKey(atom.key).filter((name) => Object.hasOwn(summary.columns, name))
    if (columns.length === 0) return atom.test(null) ? 1 : 2
    if (columns.length > 1 || !Object.hasOwn(summary.values, columns[0]!)) return 3
    return summary.values[columns[0]!]!.reduce<number>((sum, value) => sum | (atom.test(value) ? 1 : 2), 0)
  })
}
