import type { Value } from '@hopper/contracts'
import type { Data } from 'apache-arrow'
import { textAt, textData, uint32Data, type Frame } from './encoding/arrow-frame.ts'

/**
 * Values of keys that are too rare for a column of their own: entries (key, row, value), ascending by key, then by row.
 * All values of a key of a chunk are either in a column or here.
 */
export interface SpilledEntries {
  readonly names: readonly string[]
  /** name n has the entries from `starts[n]` up to `starts[n + 1]` */
  readonly starts: Uint32Array
  readonly rows: Uint32Array
  /** into `values` */
  readonly codes: Uint32Array
  readonly values: readonly (Value | null)[]
}

/** Maximum number of columns of free keys in a chunk. */
const OWN_KEYS_MAX = 192
/** A column has the same overhead in a small chunk as in a large one, so a small chunk gets fewer. */
const OWN_KEYS_MIN = 16
const ROWS_PER_OWN_KEY = 8

/** Returns the maximum number of free keys with a column of their own in a chunk of `rows` rows. */
export function ownKeysMax(rows: number): number {
  return Math.min(OWN_KEYS_MAX, OWN_KEYS_MIN + Math.floor(rows / ROWS_PER_OWN_KEY))
}

/**
 * Chooses the keys that get a column of their own: all if there are few, else the most frequent that occur more than
 * once.
 */
export function chooseOwnKeys<K>(counts: Iterable<readonly [key: K, rows: number]>, rows: number): Set<K> {
  const all = [...counts]
  const max = ownKeysMax(rows)
  if (all.length <= max) return new Set(all.map(([key]) => key))
  const repeated = all.filter(([, count]) => count > 1).sort((a, b) => b[1] - a[1])
  return new Set(repeated.slice(0, max).map(([key]) => key))
}

/** Collects entries row by row; the number of entries of each key must be known in advance. */
export class SpillBuilder {
  readonly #names: readonly string[]
  readonly #starts: Uint32Array
  readonly #next: Uint32Array
  readonly #rows: Uint32Array
  readonly #codes: Uint32Array

  constructor(names: readonly string[], counts: readonly number[]) {
    this.#names = names
    this.#starts = new Uint32Array(names.length + 1)
    counts.forEach((count, name) => (this.#starts[name + 1] = this.#starts[name]! + count))
    this.#next = this.#starts.slice(0, names.length)
    this.#rows = new Uint32Array(this.#starts[names.length]!)
    this.#codes = new Uint32Array(this.#rows.length)
  }

  /** Adds an entry; rows must ascend. */
  put(name: number, row: number, code: number): void {
    const index = this.#next[name]!++
    this.#rows[index] = row
    this.#codes[index] = code
  }

  entries(values: readonly (Value | null)[]): SpilledEntries {
    return { names: this.#names, starts: this.#starts, rows: this.#rows, codes: this.#codes, values }
  }
}

/** Returns the entries of the rows from `begin` up to `end`; undefined when there are none. */
export function sliceSpilled(
  { names, starts, rows, codes, values }: SpilledEntries,
  begin: number,
  end: number,
): SpilledEntries | undefined {
  const [ownNames, ownStarts, ownRows, ownCodes]: [string[], number[], number[], number[]] = [[], [0], [], []]
  for (let name = 0; name < names.length; name++) {
    for (let index = starts[name]!; index < starts[name + 1]!; index++) {
      if (rows[index]! < begin || rows[index]! >= end) continue
      ownRows.push(rows[index]! - begin)
      ownCodes.push(codes[index]!)
    }
    if (ownRows.length === ownStarts.at(-1)) continue
    ownNames.push(names[name]!)
    ownStarts.push(ownRows.length)
  }
  if (ownRows.length === 0) return undefined
  return {
    names: ownNames,
    starts: Uint32Array.from(ownStarts),
    rows: Uint32Array.from(ownRows),
    codes: Uint32Array.from(ownCodes),
    values,
  }
}

/** Returns the fields of the names and their numbers of entries. Names are JSON, which preserves any text. */
export function spilledKeyFields({ names, starts }: SpilledEntries): Map<string, Data> {
  const counts = Uint32Array.from(names, (_, name) => starts[name + 1]! - starts[name]!)
  return new Map([
    ['key', textData(names.map((name) => JSON.stringify(name)))],
    ['entries', uint32Data(counts)],
  ])
}

/** The spilled keys of a chunk. */
export interface SpilledKeys {
  readonly names: readonly string[]
  readonly starts: Uint32Array
  readonly numbers: ReadonlyMap<string, number>
}

/** Reads the spilled keys of a frame that has the fields of `spilledKeyFields`. */
export function spilledKeysOf(frame: Frame): SpilledKeys {
  const counts = frame.get('entries')!.values as Uint32Array
  const names = textsOf(frame.get('key')!).map((text) => JSON.parse(text) as string)
  const starts = new Uint32Array(names.length + 1)
  for (let name = 0; name < names.length; name++) starts[name + 1] = starts[name]! + counts[name]!
  return { names, starts, numbers: new Map(names.map((name, number) => [name, number])) }
}

function textsOf(data: Data): string[] {
  return Array.from({ length: data.length }, (_, i) => textAt(data, i))
}

/**
 * The spilled entries of a chunk by row: row r has `entries` from `ends[r - 1]` up to `ends[r]`; `keys` contains the
 * key number of each.
 */
export interface EntriesByRow {
  readonly ends: Uint32Array
  readonly entries: Uint32Array
  readonly keys: Uint32Array
}

/**
 * Groups entries by row: those of key k are from `starts[k]` up to `starts[k + 1]`, and entry e is of row `rowOf[e]`.
 */
export function entriesByRow(starts: Uint32Array, rowOf: Uint32Array, rows: number): EntriesByRow {
  const ends = new Uint32Array(rows)
  for (const row of rowOf) ends[row]!++
  for (let row = 1; row < rows; row++) ends[row]! += ends[row - 1]!
  const next = new Uint32Array(rows)
  next.set(ends.subarray(0, Math.max(0, rows - 1)), Math.min(1, rows))
  const entries = new Uint32Array(rowOf.length)
  const keys = new Uint32Array(rowOf.length)
  for (let key = 0; key < starts.length - 1; key++) {
    for (let entry = starts[key]!; entry < starts[key + 1]!; entry++) {
      const index = next[rowOf[entry]!]!++
      entries[index] = entry
      keys[index] = key
    }
  }
  return { ends, entries, keys }
}
