import {
  deviceHash,
  UUID_BYTES,
  writeUuid,
  type ArchivedEvent,
  type Context,
  type DateCover,
  type Event,
  type Value,
} from '@hopper/contracts'
import { contextColumns, DATA_PREFIX, eventColumns, numberColumns, utmColumn, type NumberColumn } from './event-keys.ts'
import { FreeKeys } from './free-keys.ts'
import { GrowableArray } from './growable-array.ts'
import { idsOf, type Ids } from './ids.ts'
import type { DeviceRuns, RowColumns } from './row-columns.ts'
import { chooseOwnKeys, ownKeysMax, SpillBuilder } from './spilled-entries.ts'
import { BufferedColumn, type ValueCodes } from './value-column.ts'

/** Initial capacities. They are small, because a process has buffers for many apps and lanes. */
const BEGIN_ROWS = 16
const BEGIN_ENTRIES = 128
/** Columns with fixed names, as opposed to names that senders choose. */
const fixedNames = [...eventColumns, 'user', ...contextColumns] as const
const USER = fixedNames.indexOf('user')
const FIRST_OF_CONTEXT = USER + 1
/** Approximate memory of a row without its entries, an entry, a device, and a text without its characters. */
const ROW_BYTES = 76
const ENTRY_BYTES = 8
const DEVICE_BYTES = 280
const TEXT_BYTES = 100
const CHAR_BYTES = 1

interface Device {
  readonly id: string
  readonly high: number
  readonly low: number
  /** its rows, in order of arrival */
  readonly rows: number[]
}

/** Number and positions of the rows of one date. */
interface BufferedDate extends DateCover {
  readonly rows: number
}

/** Returns the group of a row by its date and position; undefined omits the row. */
export type GroupOfRow = (date: string, position: number) => number | undefined

/**
 * Buffers events of one app and lane until they are encoded as chunks. Events are immediately broken down into numbers
 * and codes, because the garbage collector would traverse buffered objects again and again. The values of a row are
 * adjacent (column, code) entries and all dates share the memory, so that the cost is proportional to the input even if
 * senders choose ever new keys, values or dates.
 */
export class RowBuffer {
  readonly #app: string
  readonly #devices = new Map<string, Device>()
  readonly #numbers = Object.fromEntries(
    numberColumns.map((name) => [name, new GrowableArray(new Float64Array(BEGIN_ROWS))]),
  ) as Record<NumberColumn, GrowableArray<Float64Array>>
  readonly #idBytes = new GrowableArray(new Uint8Array(BEGIN_ROWS * UUID_BYTES))
  readonly #idTexts = new Map<number, string>()
  readonly #dates: string[] = []
  readonly #dateNumbers = new Map<string, number>()
  readonly #dateOf = new GrowableArray(new Uint32Array(BEGIN_ROWS))
  readonly #fixed: (BufferedColumn | undefined)[] = fixedNames.map(() => undefined)
  readonly #free = new FreeKeys()
  /** end of each row's entries */
  readonly #ends = new GrowableArray(new Uint32Array(BEGIN_ROWS))
  /** number of a fixed column; free keys are numbered after those */
  readonly #entryColumns = new GrowableArray(new Uint32Array(BEGIN_ENTRIES))
  readonly #entryCodes = new GrowableArray(new Uint32Array(BEGIN_ENTRIES))
  #context: Context | undefined
  #ofContext: readonly (readonly [column: number, code: number])[] = []
  #idTextBytes = 0
  #deviceBytes = 0

  constructor(app: string) {
    this.#app = app
  }

  static of(app: string, rows: readonly ArchivedEvent[]): RowBuffer {
    const buffer = new RowBuffer(app)
    for (const row of rows) buffer.put(row)
    return buffer
  }

  get rows(): number {
    return this.#ends.length
  }

  /** Estimates the memory used, in bytes. */
  get bytes(): number {
    const texts = this.#fixed.reduce(
      (sum, column) =>
        sum + (column?.dictionary.chars ?? 0) * CHAR_BYTES + (column?.dictionary.values.length ?? 0) * TEXT_BYTES,
      0,
    )
    return (
      this.rows * ROW_BYTES +
      this.#entryCodes.length * ENTRY_BYTES +
      texts +
      this.#free.bytes +
      this.#idTextBytes +
      this.#deviceBytes
    )
  }

  put({ event, device_id, user, context, received_at, position, index }: ArchivedEvent, date = ''): void {
    this.#deviceOf(device_id).rows.push(this.rows)
    const numbers = this.#numbers
    numbers.timestamp.push(event.timestamp)
    numbers.seq.push(event.seq)
    numbers.position.push(position)
    numbers.index.push(index)
    numbers.received_at.push(received_at)
    this.#dateOf.push(this.#dateNumber(date))
    this.#putId(event.event_id)
    this.#putEvent(event as Event & Readonly<Record<string, Value | undefined>>)
    if (user !== '') this.#putFixed(USER, user)
    // The events of an envelope share one context object and usually arrive consecutively.
    if (context !== this.#context) this.#readContext(context)
    for (const [column, code] of this.#ofContext) this.#putCode(column, code)
    if ('data' in event && event.data)
      for (const [key, value] of Object.entries(event.data)) this.#putFree(DATA_PREFIX, key, value)
    this.#ends.push(this.#entryColumns.length)
  }

  /** Returns the dates that have rows above the covered position of the date, with the extent of these rows. */
  datesAbove(coveredOf: (date: string) => number): BufferedDate[] {
    const covered = this.#dates.map(coveredOf)
    const found = this.#dates.map((date) => ({ date, rows: 0, first_position: Infinity, last_position: -1 }))
    for (let row = 0; row < this.rows; row++) {
      const date = this.#dateOf.values[row]!
      const position = this.#numbers.position.values[row]!
      if (position <= covered[date]!) continue
      const entry = found[date]!
      entry.rows++
      entry.first_position = Math.min(entry.first_position, position)
      entry.last_position = Math.max(entry.last_position, position)
    }
    return found.filter(({ rows }) => rows > 0)
  }

  /** All dates, in order of their first rows. */
  get dates(): readonly string[] {
    return this.#dates
  }

  /**
   * Yields the rows of each group in chunk order: by device hash, timestamp, `seq`, then place in the log. Groups
   * without rows are skipped.
   */
  *groups(groupOf: GroupOfRow = () => 0): Generator<{ readonly group: number; readonly columns: RowColumns }> {
    for (const [group, slice] of this.#sorted(groupOf)) yield { group, columns: this.#columnsOf(slice) }
  }

  #sorted(groupOf: GroupOfRow): Map<number, Slice> {
    const groups = new Map<number, { readonly order: number[]; readonly devices: Device[] }>()
    const devices = [...this.#devices.values()].sort((a, b) => a.high - b.high || a.low - b.low)
    const before = this.#before.bind(this)
    for (const device of devices) {
      for (const row of isSorted(device.rows, before) ? device.rows : device.rows.toSorted(before)) {
        const group = groupOf(this.#dates[this.#dateOf.values[row]!]!, this.#numbers.position.values[row]!)
        if (group === undefined) continue
        let entry = groups.get(group)
        if (!entry) groups.set(group, (entry = { order: [], devices: [] }))
        entry.order.push(row)
        entry.devices.push(device)
      }
    }
    return groups
  }

  #before(a: number, b: number): number {
    const { timestamp, seq, position, index } = this.#numbers
    return (
      timestamp.values[a]! - timestamp.values[b]! ||
      seq.values[a]! - seq.values[b]! ||
      position.values[a]! - position.values[b]! ||
      index.values[a]! - index.values[b]!
    )
  }

  #columnsOf(slice: Slice): RowColumns {
    const { order } = slice
    const numbers = Object.fromEntries(
      numberColumns.map((name) => {
        const from = this.#numbers[name].values
        const to = new Float64Array(order.length)
        for (let index = 0; index < order.length; index++) to[index] = from[order[index]!]!
        return [name, to]
      }),
    ) as Record<NumberColumn, Float64Array>
    return { rows: order.length, runs: runsOf(slice), numbers, eventIds: this.#idsOf(slice), ...this.#valuesOf(slice) }
  }

  #idsOf({ order }: Slice): Ids {
    const from = this.#idBytes.values
    const bytes = new Uint8Array(order.length * UUID_BYTES)
    const texts = new Map<number, string>()
    for (let index = 0; index < order.length; index++) {
      const row = order[index]!
      for (let byte = 0; byte < UUID_BYTES; byte++) bytes[index * UUID_BYTES + byte] = from[row * UUID_BYTES + byte]!
      if (this.#idTexts.size === 0) continue
      const text = this.#idTexts.get(row)
      if (text !== undefined) texts.set(index, text)
    }
    return { length: order.length, bytes, texts }
  }

  #valuesOf(slice: Slice): Pick<RowColumns, 'values' | 'spilled'> {
    const { order } = slice
    const spill = this.#free.names.length > ownKeysMax(order.length) ? this.#spillOf(slice) : undefined
    const used: (Uint32Array | undefined)[] = []
    const values = new Map<string, ValueCodes>()
    // One closure for all rows: a closure per row would be garbage.
    let row = 0
    const put = (column: number, code: number): void => {
      const rare = spill?.numberOf.get(column)
      if (rare !== undefined) return spill!.builder.put(rare, row, code)
      let codes = used[column]
      if (!codes) {
        used[column] = codes = new Uint32Array(order.length)
        const fixed = this.#fixed[column]
        values.set(fixed?.name ?? this.#free.names[column - fixedNames.length]!, {
          codes,
          values: fixed?.dictionary.values ?? this.#free.values,
        })
      }
      codes[row] = code
    }
    for (; row < order.length; row++) this.#eachEntry(order[row]!, put)
    return { values, ...(spill ? { spilled: spill.builder.entries(this.#free.values) } : {}) }
  }

  /** Determines the keys of a slice without a column of their own; undefined if all have one. */
  #spillOf({
    order,
  }: Slice): { readonly numberOf: ReadonlyMap<number, number>; readonly builder: SpillBuilder } | undefined {
    const counts = new Map<number, number>()
    const count = (column: number): void => {
      if (column >= fixedNames.length) counts.set(column, (counts.get(column) ?? 0) + 1)
    }
    for (const row of order) this.#eachEntry(row, count)
    const withColumn = chooseOwnKeys(counts, order.length)
    if (withColumn.size === counts.size) return undefined
    const rare = [...counts.keys()].filter((column) => !withColumn.has(column))
    const builder = new SpillBuilder(
      rare.map((column) => this.#free.names[column - fixedNames.length]!),
      rare.map((column) => counts.get(column)!),
    )
    return { numberOf: new Map(rare.map((column, number) => [column, number])), builder }
  }

  #eachEntry(row: number, visit: (column: number, code: number) => void): void {
    const [columns, codes] = [this.#entryColumns.values, this.#entryCodes.values]
    for (let entry = row === 0 ? 0 : this.#ends.values[row - 1]!, end = this.#ends.values[row]!; entry < end; entry++)
      visit(columns[entry]!, codes[entry]!)
  }

  #deviceOf(id: string): Device {
    let device = this.#devices.get(id)
    if (!device) {
      this.#devices.set(id, (device = { id, ...deviceHash(this.#app, id), rows: [] }))
      this.#deviceBytes += DEVICE_BYTES + id.length * CHAR_BYTES
    }
    return device
  }

  #dateNumber(date: string): number {
    // Events of one date are usually adjacent.
    const last = this.#dateOf.values[this.#dateOf.length - 1]
    if (last !== undefined && this.#dates[last] === date) return last
    let number = this.#dateNumbers.get(date)
    if (number === undefined) {
      this.#dateNumbers.set(date, (number = this.#dates.length))
      this.#dates.push(date)
    }
    return number
  }

  #putId(id: string): void {
    const offset = this.#idBytes.extend(UUID_BYTES)
    if (writeUuid(id, this.#idBytes.values, offset)) return
    this.#idBytes.values.fill(0, offset, offset + UUID_BYTES)
    this.#idTexts.set(this.#ends.length, id)
    this.#idTextBytes += TEXT_BYTES + id.length * CHAR_BYTES
  }

  #putEvent(event: Readonly<Record<string, Value | undefined>>): void {
    for (let place = 0; place < eventColumns.length; place++) {
      const value = event[eventColumns[place]!]
      // An event may have fields that do not belong to its type and contain anything.
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue
      this.#putFixed(place, value)
    }
  }

  #readContext(context: Context): void {
    this.#context = context
    const codes: [number, number][] = Object.entries(context.utm ?? {}).map(([name, value]) => {
      const key = this.#free.numberOf('', utmColumn(name))
      return [fixedNames.length + key, this.#free.codeOf(key, value)]
    })
    contextColumns.forEach((name, index) => {
      const value = context[name]
      if (value !== undefined)
        codes.push([FIRST_OF_CONTEXT + index, this.#column(FIRST_OF_CONTEXT + index).codeOf(value)])
    })
    this.#ofContext = codes
  }

  #putFixed(number: number, value: Value): void {
    this.#putCode(number, this.#column(number).codeOf(value))
  }

  #putFree(prefix: string, name: string, value: Value): void {
    const key = this.#free.numberOf(prefix, name)
    this.#putCode(fixedNames.length + key, this.#free.codeOf(key, value))
  }

  #putCode(column: number, code: number): void {
    this.#entryColumns.push(column)
    this.#entryCodes.push(code)
  }

  #column(number: number): BufferedColumn {
    return (this.#fixed[number] ??= new BufferedColumn(fixedNames[number]!))
  }
}

/** Rows of a buffer in chunk order, with the device of each. */
interface Slice {
  readonly order: readonly number[]
  readonly devices: readonly Device[]
}

function runsOf({ devices }: Slice): DeviceRuns {
  const own: Device[] = []
  const rows: number[] = []
  for (const device of devices) {
    if (device !== own[own.length - 1]) {
      own.push(device)
      rows.push(0)
    }
    rows[rows.length - 1]!++
  }
  return {
    high: Uint32Array.from(own, ({ high }) => high),
    low: Uint32Array.from(own, ({ low }) => low),
    rows: Uint32Array.from(rows),
    deviceIds: idsOf(own.map(({ id }) => id)),
  }
}

function isSorted(rows: readonly number[], before: (a: number, b: number) => number): boolean {
  for (let index = 1; index < rows.length; index++) if (before(rows[index - 1]!, rows[index]!) > 0) return false
  return true
}
