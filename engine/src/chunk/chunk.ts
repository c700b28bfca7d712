import type { ChunkSummary, EncodedChunk, PageRule, Value } from '@hopper/contracts'
import { DataType, type Data } from 'apache-arrow'
import { indexOfText, textAt, unpackFrame, type Frame } from './encoding/arrow-frame.ts'
import type { Codes } from './encoding/codes.ts'
import { ColumnCache } from './column-cache.ts'
import { keyOf, restOf } from './device-order.ts'
import { maySpill, numberColumns, SPILLED, SPILLED_KEYS, type NumberColumn } from './event-keys.ts'
import { idsOfFrame, type Ids } from './ids.ts'
import { decodeNumbers, decodeRun, type EncodedNumbers, type NumberEncoding } from './encoding/number-encoding.ts'
import { entriesByRow, spilledKeysOf, type EntriesByRow, type SpilledKeys } from './spilled-entries.ts'
import { Dictionary } from './value-column.ts'
import { noPeople, type People } from '../people/people.ts'
import { decodeOffsets, offsetsOf, timesOf, type TimeOffsets } from './encoding/time-offsets.ts'
import { runCodesOf, type RunCodes } from './encoding/run-codes.ts'
import { contentSize } from './encoding/zstd-size.ts'

/** A decoded column: row i has the value `values[codes[i]]`; `null` means no value. */
export interface ValueColumn {
  readonly codes: Codes
  readonly values: readonly (Value | null)[]
}

/**
 * The devices of a chunk: run r has the rows from `starts[r]` up to, but not including, `starts[r + 1]`. Runs ascend by
 * `keys`, then `rests` (`device-order.ts`).
 */
export interface Runs {
  readonly keys: Float64Array
  readonly rests: Uint16Array
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly starts: Uint32Array
}

/** A column of texts that are decoded one by one. */
export interface TextColumn {
  has(row: number): boolean
  at(row: number): string | undefined
  /** the rows with this text, ascending */
  rowsOf(text: string): number[]
}

/** Entries of spilled keys: entry i has the value `values[codes[i]]` in row `rows[i]`. */
export interface SpilledValues extends ValueColumn {
  readonly rows: Uint32Array
}

/** Writes the numbers of a run to the beginning of `out`. */
export type RunReader = (run: number, out: Float64Array) => void

/** Returns the cell of a column; undefined when the chunk has no such column. */
export type CellLoader = (column: string) => Uint8Array | undefined

/** The page rule of an app that keeps no parameters and does not route by hash. */
const plainPages: PageRule = { keep_parameters: [] }

/** Prefixes of cache keys for values other than a column; no column name begins like this. */
const ENCODED = '/encoded/'
const BY_RUN = '/by run/'
const OFFSETS = '/offsets/'
const DERIVED = '/derived/'
const OF_PEOPLE = '/of people/'

const unbounded = (): ColumnCache => new ColumnCache(Infinity)

/** A chunk for reading: each column is fetched and decoded lazily. */
export class Chunk {
  readonly summary: ChunkSummary
  /** the known people whose events these are, for the person keys */
  readonly people: People
  readonly #load: CellLoader
  readonly #cache: ColumnCache
  readonly #name: string
  readonly #pages: PageRule
  readonly #texts = new Map<string, TextColumn>()

  /** `pages` is the page rule of the app that the events belong to. */
  constructor(
    summary: ChunkSummary,
    load: CellLoader,
    cache = unbounded(),
    pages = plainPages,
    people: People = noPeople,
  ) {
    this.summary = summary
    this.people = people
    this.#pages = pages
    this.#load = load
    this.#cache = cache
    const { app, lane, date, first_position, last_position, part, parts, rows } = summary
    this.#name = `${app}/${lane}/${date}/${first_position}-${last_position}/${part}-${parts}/${rows}/`
  }

  static of(encoded: EncodedChunk, cache?: ColumnCache, pages?: PageRule): Chunk {
    return new Chunk(encoded.summary, (column) => encoded.columns.get(column), cache, pages)
  }

  /** Returns the same chunk with another state of what is known about its people. */
  withPeople(people: People): Chunk {
    return new Chunk(this.summary, this.#load, this.#cache, this.#pages, people)
  }

  runs(): Runs {
    return this.#decoded('runs', (frame) => {
      const high = frame.get('high')!.values as Uint32Array
      const low = frame.get('low')!.values as Uint32Array
      const rows = frame.get('rows')!.values as Uint32Array
      const devices = this.summary.devices
      const runs: Runs = {
        keys: new Float64Array(devices),
        rests: new Uint16Array(devices),
        high,
        low,
        starts: new Uint32Array(devices + 1),
      }
      for (let r = 0; r < devices; r++) {
        runs.keys[r] = keyOf(high[r]!, low[r]!)
        runs.rests[r] = restOf(low[r]!)
        runs.starts[r + 1] = runs.starts[r]! + rows[r]!
      }
      return { value: runs, bytes: devices * 22 }
    })!
  }

  times(): Float64Array {
    return this.numbers('timestamp')
  }

  /** Returns the times as offsets, which take half the memory and decode faster. */
  timeOffsets(): TimeOffsets {
    return this.#cache.get(this.#name + OFFSETS, () => {
      const { min_time: base, max_time } = this.summary
      const span = max_time - base
      const value = this.#cache.has(this.#name + 'timestamp')
        ? offsetsOf(this.times(), base, span)
        : decodeOffsets(encodedNumbers(this.#unpacked('timestamp')), this.runs().starts, span)
      return { value, bytes: value.offsets.byteLength }
    })
  }

  numbers(column: NumberColumn): Float64Array {
    return this.#cache.get(this.#name + column, () => {
      if (column === 'timestamp' && this.#cache.has(this.#name + OFFSETS)) {
        const times = timesOf(this.timeOffsets())
        return { value: times, bytes: times.byteLength }
      }
      const encoded = this.#cache.has(this.#name + ENCODED + column)
        ? this.#encoded(column)
        : encodedNumbers(this.#unpacked(column))
      const value = decodeNumbers(encoded, this.runs().starts, () => this.times())
      return { value, bytes: value.byteLength }
    })
  }

  /** Reads the numbers of one run at a time, for queries that look at few runs of a column. */
  runReader(column: NumberColumn): RunReader {
    const { starts } = this.runs()
    if (this.#cache.has(this.#name + column)) {
      const numbers = this.numbers(column)
      return (run, out) => out.set(numbers.subarray(starts[run], starts[run + 1]))
    }
    const encoded = this.#encoded(column)
    const times = (): Float64Array => this.times()
    return (run, out) => decodeRun(encoded, starts[run]!, starts[run + 1]!, times, out)
  }

  #encoded(column: NumberColumn): EncodedNumbers {
    return this.#cache.get(this.#name + ENCODED + column, () => {
      const value = encodedNumbers(this.#unpacked(column))
      return { value, bytes: value.planes.reduce((sum, plane) => sum + plane.byteLength, 100) }
    })
  }

  /** Returns the values of a column; undefined when no event of the chunk has one. */
  values(column: string): ValueColumn | undefined {
    if (maySpill(this.summary.columns, column)) return this.#spilledColumn(column)
    return this.#decoded(column, (frame) => {
      const value = columnOf([...frame.values()], this.summary.rows)
      return { value, bytes: value.codes.byteLength + bytesOfValues(value.values) }
    })
  }

  /**
   * Returns a column of texts without decoding all of them, for long texts of which few are read; undefined when no
   * event of the chunk has one.
   */
  texts(column: string): TextColumn | undefined {
    if (!Object.hasOwn(this.summary.columns, column)) return undefined
    let texts = this.#texts.get(column)
    if (!texts) this.#texts.set(column, (texts = this.#textColumn(column)))
    return texts
  }

  #textColumn(column: string): TextColumn {
    if (this.#cache.has(this.#name + column)) {
      const { codes, values } = this.values(column)!
      return {
        has: (row) => values[codes[row]!] !== null,
        at: (row) => (values[codes[row]!] as string) ?? undefined,
        rowsOf: (text) => rowsWith(codes, values.indexOf(text)),
      }
    }
    const packed = this.#unpacked(column).frame.get('string')!
    const codes = (packed.values as Codes).subarray(0, packed.length)
    const texts = packed.dictionary!.data[0] as Data
    const has = (row: number): boolean => texts.getValid(codes[row]!)
    return {
      has,
      at: (row) => (has(row) ? textAt(texts, codes[row]!) : undefined),
      rowsOf: (text) => rowsWith(codes, indexOfText(texts, text)),
    }
  }

  /** Returns the keys that are too rare for a column of their own; undefined when there are none. */
  spilledKeys(): SpilledKeys | undefined {
    return this.#decoded(SPILLED_KEYS, (frame) => {
      const value = spilledKeysOf(frame)
      return { value, bytes: value.names.reduce((sum, name) => sum + 120 + name.length, value.starts.byteLength) }
    })
  }

  /** Returns the entries of spilled keys: key k has the entries from `starts[k]` up to `starts[k + 1]`. */
  spilled(): SpilledValues | undefined {
    return this.#decoded(SPILLED, (frame) => {
      const row = frame.get('row')!
      const { codes, values } = columnOf(
        [...frame].flatMap(([name, data]) => (name === 'row' ? [] : [data])),
        row.length,
      )
      const value = { rows: (row.values as Uint32Array).subarray(0, row.length), codes, values }
      return { value, bytes: value.rows.byteLength + codes.byteLength + bytesOfValues(values) }
    })
  }

  /** Returns the entries of spilled keys by row. */
  spilledByRow(): EntriesByRow | undefined {
    const keys = this.spilledKeys()
    return (
      keys &&
      this.#cache.get(this.#name + BY_RUN + SPILLED, () => {
        const value = entriesByRow(keys.starts, this.spilled()!.rows, this.summary.rows)
        return { value, bytes: value.ends.byteLength + value.entries.byteLength + value.keys.byteLength }
      })
    )
  }

  #spilledColumn(column: string): ValueColumn | undefined {
    const keys = this.spilledKeys()!
    const key = keys.numbers.get(column)
    return key === undefined
      ? undefined
      : this.#cache.get(this.#name + column, () => {
          const { rows, codes, values } = this.spilled()!
          const dictionary = new Dictionary()
          const codesOfRows = new Uint32Array(this.summary.rows).fill(dictionary.code(null))
          for (let index = keys.starts[key]!; index < keys.starts[key + 1]!; index++)
            codesOfRows[rows[index]!] = dictionary.code(values[codes[index]!]!)
          return {
            value: { codes: codesOfRows, values: dictionary.values },
            bytes: codesOfRows.byteLength + bytesOfValues(dictionary.values),
          }
        })
  }

  /** Returns a column computed from others by the page rule of the app; cached like a decoded column. */
  derived(key: string, derive: (pages: PageRule) => ValueColumn): ValueColumn {
    const { keep_parameters, hash_routing = false } = this.#pages
    return this.#cache.get(`${this.#name}${DERIVED}${key}${JSON.stringify([hash_routing, ...keep_parameters])}`, () => {
      const value = derive(this.#pages)
      return { value, bytes: value.codes.byteLength + value.values.length * 40 }
    })
  }

  /**
   * Returns a value that is computed from the chunk and its people; cached like a decoded column, by the people's
   * version.
   */
  ofPeople<T extends object>(name: string, derive: (people: People) => { value: T; bytes: number }): T {
    return this.#cache.get(`${this.#name}${OF_PEOPLE}${this.people.version}/${name}`, () => derive(this.people))
  }

  /** Returns whether reading the column loads nothing: the chunk has no such column, or its values are cached. */
  atHand(column: string): boolean {
    const offsets = column === 'timestamp' && this.#cache.has(this.#name + OFFSETS)
    return (
      !Object.hasOwn(this.summary.columns, column) ||
      offsets ||
      this.#cache.has(this.#name + column) ||
      this.#cache.has(this.#name + ENCODED + column)
    )
  }

  /** Returns the code that the rows of each run share in a column of values. */
  runCodes(column: string): RunCodes | undefined {
    const values = this.values(column)
    return (
      values &&
      this.#cache.get(this.#name + BY_RUN + column, () => {
        const value = runCodesOf(values.codes, this.runs().starts)
        return { value, bytes: value.first.byteLength + value.mixed.byteLength }
      })
    )
  }

  /** Returns the total unpacked size of its cells in bytes, from their headers where these contain it. */
  unpackedBytes(): number {
    return Object.keys(this.summary.columns).reduce((bytes, name) => {
      const cell = this.#load(name)
      return bytes + (cell ? (contentSize(cell) ?? cell.length) : 0)
    }, 0)
  }

  /** Returns the cell of a column as stored. */
  cell(column: string): Uint8Array | undefined {
    return this.#load(column)
  }

  eventIds(): Ids {
    return this.#ids('event_id', this.summary.rows)
  }

  /** Returns one id per device, in the order of the runs. */
  deviceIds(): Ids {
    return this.#ids('device_id', this.summary.devices)
  }

  /** Lists the value columns: all except runs, whole numbers, ids and spilled entries. */
  valueColumns(): string[] {
    const others: ReadonlySet<string> = new Set([
      'runs',
      'event_id',
      'device_id',
      SPILLED,
      SPILLED_KEYS,
      ...numberColumns,
    ])
    return Object.keys(this.summary.columns).filter((name) => !others.has(name))
  }

  #ids(column: string, length: number): Ids {
    return this.#decoded(column, (frame) => {
      const value = idsOfFrame(frame, length)
      return { value, bytes: value.bytes.byteLength + value.texts.size * 80 }
    })!
  }

  #decoded<T extends object>(column: string, decode: (frame: Frame) => { value: T; bytes: number }): T | undefined {
    if (!Object.hasOwn(this.summary.columns, column)) return undefined
    return this.#cache.get(this.#name + column, () => decode(this.#unpacked(column).frame))
  }

  #unpacked(column: string): ReturnType<typeof unpackFrame> {
    const cell = this.#load(column)
    if (!cell) throw new RangeError(`chunk ${this.#name} lacks its column ${column}`)
    return unpackFrame(cell)
  }
}

function rowsWith(codes: Codes, code: number): number[] {
  const rows: number[] = []
  if (code >= 0) for (let row = 0; row < codes.length; row++) if (codes[row] === code) rows.push(row)
  return rows
}

function encodedNumbers({ frame, metadata }: ReturnType<typeof unpackFrame>): EncodedNumbers {
  const planes = [...frame.values()].map((data) => (data.values as Uint8Array).subarray(0, data.length))
  return { encoding: metadata.get('encoding') as NumberEncoding, planes, base: Number(metadata.get('base')) }
}

function columnOf(data: readonly Data[], length: number): ValueColumn {
  const fields = data.map(fieldColumn)
  return fields.length === 1 ? fields[0]! : combine(fields, length)
}

/** Estimates the memory of a dictionary. */
function bytesOfValues(values: readonly (Value | null)[]): number {
  let bytes = values.length * 40
  for (const value of values) if (typeof value === 'string') bytes += value.length
  return bytes
}

function fieldColumn(data: Data): ValueColumn {
  const dictionary = data.dictionary!
  const values = new Array<Value | null>(dictionary.length)
  const texts = DataType.isUtf8(dictionary.type) ? (dictionary.data[0] as Data | undefined) : undefined
  for (let i = 0; i < values.length; i++) {
    values[i] = texts?.getValid(i) ? textAt(texts, i) : (dictionary.get(i) as Value | null)
  }
  return { codes: (data.values as Codes).subarray(0, data.length), values }
}

/** Combines the fields of a key: it has one field per type of value, and at most one has a value in a row. */
function combine(fields: readonly ValueColumn[], rows: number): ValueColumn {
  const dictionary = new Dictionary()
  const codes = new Uint32Array(rows).fill(dictionary.code(null))
  for (const field of fields) {
    const renamed = field.values.map((value) => dictionary.code(value))
    for (let i = 0; i < rows; i++) if (field.values[field.codes[i]!] !== null) codes[i] = renamed[field.codes[i]!]!
  }
  return { codes, values: dictionary.values }
}
