import { deviceHash, UUID_BYTES, writeUuid, type ArchivedEvent, type Context, type Event, type Value } from '@hopper/contracts'
import { contextColumns, DATA_PREFIX, eventColumns, numberColumns, utmColumn, type NumberColumn } from './event-keys.ts'
import { Growing } from './growing.ts'
import { idsOf, type Ids } from './ids.ts'
import type { DeviceRuns, RowColumns } from './row-columns.ts'
import { BufferedColumn, type ValueCodes } from './value-column.ts'

const BEGIN_ROWS = 256
const BEGIN_ENTRIES = 2_048

interface Device {
  readonly id: string
  readonly high: number
  readonly low: number
  /** its rows, in the order in which they came */
  readonly rows: number[]
}

/**
 * Events of one app and lane on their way into a chunk, taken apart at once: numbers and codes in place of the objects that they came as, which the garbage collector would
 * look through again and again. The values of a row stand side by side as (column, code), so that senders who choose ever new keys cost what they send.
 */
export class RowBuffer {
  readonly #app: string
  readonly #devices = new Map<string, Device>()
  readonly #numbers = Object.fromEntries(numberColumns.map((name) => [name, new Growing(new Float64Array(BEGIN_ROWS))])) as Record<NumberColumn, Growing<Float64Array>>
  readonly #idBytes = new Growing(new Uint8Array(BEGIN_ROWS * UUID_BYTES))
  readonly #idTexts = new Map<number, string>()
  readonly #columns: BufferedColumn[] = []
  readonly #byName = new Map<string, BufferedColumn>()
  readonly #ofEvent: (BufferedColumn | undefined)[] = eventColumns.map(() => undefined)
  /** of each row, where its entries end */
  readonly #ends = new Growing(new Uint32Array(BEGIN_ROWS))
  readonly #entryColumns = new Growing(new Uint32Array(BEGIN_ENTRIES))
  readonly #entryCodes = new Growing(new Uint32Array(BEGIN_ENTRIES))
  #context: Context | undefined
  #ofContext: readonly (readonly [column: number, code: number])[] = []

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

  /** The position of a row, by the order in which it came. */
  positionOf(row: number): number {
    return this.#numbers.position.values[row]!
  }

  put({ event, device_id, user, context, received_at, position, index }: ArchivedEvent): void {
    this.#deviceOf(device_id).rows.push(this.rows)
    const numbers = this.#numbers
    numbers.timestamp.push(event.timestamp)
    numbers.seq.push(event.seq)
    numbers.position.push(position)
    numbers.index.push(index)
    numbers.received_at.push(received_at)
    this.#putId(event.event_id)
    this.#putEvent(event as Event & Readonly<Record<string, Value | undefined>>)
    if (user !== '') this.#putValue(this.#columnOf('user'), user)
    // The events of one envelope share their context, and most of them come one after the other.
    if (context !== this.#context) this.#readContext(context)
    for (const [column, code] of this.#ofContext) this.#putCode(column, code)
    if ('data' in event && event.data) for (const [key, value] of Object.entries(event.data)) this.#putValue(this.#columnOf(DATA_PREFIX + key), value)
    this.#ends.push(this.#entryColumns.length)
  }

  /** The rows from one on, in the order of a chunk: by device hash, timestamp, `seq`, then place in the log. In slices of at most so many columns of values, or of one row. */
  *slices(first: number, columnsMax: number): Generator<RowColumns> {
    const { order, devices } = this.#sorted(first)
    if (order.length > 0) yield* this.#cut({ order, devices, begin: 0, end: order.length }, columnsMax)
  }

  *#cut(slice: Slice, columnsMax: number): Generator<RowColumns> {
    const { begin, end } = slice
    if (end - begin === 1 || this.#columns.length <= columnsMax || !this.#hasMoreColumns(slice, columnsMax)) return yield this.#sliceOf(slice)
    const middle = (begin + end) >>> 1
    yield* this.#cut({ ...slice, end: middle }, columnsMax)
    yield* this.#cut({ ...slice, begin: middle }, columnsMax)
  }

  #hasMoreColumns({ order, begin, end }: Slice, columnsMax: number): boolean {
    const met = new Set<number>()
    for (let at = begin; at < end && met.size <= columnsMax; at++) this.#eachEntry(order[at]!, (column) => met.add(column))
    return met.size > columnsMax
  }

  #sorted(first: number): Omit<Slice, 'begin' | 'end'> {
    const devices = [...this.#devices.values()].sort((a, b) => a.high - b.high || a.low - b.low)
    const order: number[] = []
    const deviceAt: Device[] = []
    const before = this.#before.bind(this)
    for (const device of devices) {
      const rows = first === 0 ? device.rows : device.rows.filter((row) => row >= first)
      for (const row of isSorted(rows, before) ? rows : rows.toSorted(before)) {
        order.push(row)
        deviceAt.push(device)
      }
    }
    return { order, devices: deviceAt }
  }

  #before(a: number, b: number): number {
    const { timestamp, seq, position, index } = this.#numbers
    return (
      timestamp.values[a]! - timestamp.values[b]! || seq.values[a]! - seq.values[b]! ||
      position.values[a]! - position.values[b]! || index.values[a]! - index.values[b]!
    )
  }

  #sliceOf(slice: Slice): RowColumns {
    const { order, begin, end } = slice
    const rows = end - begin
    const numbers = Object.fromEntries(numberColumns.map((name) => {
      const from = this.#numbers[name].values
      const to = new Float64Array(rows)
      for (let at = 0; at < rows; at++) to[at] = from[order[begin + at]!]!
      return [name, to]
    })) as Record<NumberColumn, Float64Array>
    return { rows, runs: runsOf(slice), numbers, eventIds: this.#idsOf(slice), values: this.#valuesOf(slice) }
  }

  #idsOf({ order, begin, end }: Slice): Ids {
    const from = this.#idBytes.values
    const bytes = new Uint8Array((end - begin) * UUID_BYTES)
    const texts = new Map<number, string>()
    for (let at = begin; at < end; at++) {
      const row = order[at]!
      for (let byte = 0; byte < UUID_BYTES; byte++) bytes[(at - begin) * UUID_BYTES + byte] = from[row * UUID_BYTES + byte]!
      if (this.#idTexts.size === 0) continue
      const text = this.#idTexts.get(row)
      if (text !== undefined) texts.set(at - begin, text)
    }
    return { length: end - begin, bytes, texts }
  }

  #valuesOf({ order, begin, end }: Slice): Map<string, ValueCodes> {
    const used: (Uint32Array | undefined)[] = []
    const values = new Map<string, ValueCodes>()
    // One function for all rows: one for each is garbage.
    let at = begin
    const put = (column: number, code: number): void => {
      let codes = used[column]
      if (!codes) {
        const { name, dictionary } = this.#columns[column]!
        used[column] = codes = new Uint32Array(end - begin)
        values.set(name, { codes, values: dictionary.values })
      }
      codes[at - begin] = code
    }
    for (; at < end; at++) this.#eachEntry(order[at]!, put)
    return values
  }

  #eachEntry(row: number, visit: (column: number, code: number) => void): void {
    const [columns, codes] = [this.#entryColumns.values, this.#entryCodes.values]
    for (let entry = row === 0 ? 0 : this.#ends.values[row - 1]!, end = this.#ends.values[row]!; entry < end; entry++) visit(columns[entry]!, codes[entry]!)
  }

  #deviceOf(id: string): Device {
    let device = this.#devices.get(id)
    if (!device) this.#devices.set(id, (device = { id, ...deviceHash(this.#app, id), rows: [] }))
    return device
  }

  #putId(id: string): void {
    const at = this.#idBytes.extend(UUID_BYTES)
    if (writeUuid(id, this.#idBytes.values, at)) return
    this.#idBytes.values.fill(0, at, at + UUID_BYTES)
    this.#idTexts.set(this.#ends.length, id)
  }

  #putEvent(event: Readonly<Record<string, Value | undefined>>): void {
    for (let place = 0; place < eventColumns.length; place++) {
      const value = event[eventColumns[place]!]
      // An event may carry fields that its kind does not have, and they may hold anything.
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue
      this.#putValue((this.#ofEvent[place] ??= this.#columnOf(eventColumns[place]!)), value)
    }
  }

  #readContext(context: Context): void {
    const values: [string, Value][] = Object.entries(context.utm ?? {}).map(([name, value]) => [utmColumn(name), value])
    for (const name of contextColumns) if (context[name] !== undefined) values.push([name, context[name]])
    this.#context = context
    this.#ofContext = values.map(([name, value]) => {
      const column = this.#columnOf(name)
      return [column.number, column.codeOf(value)]
    })
  }

  #putValue(column: BufferedColumn, value: Value): void {
    this.#putCode(column.number, column.codeOf(value))
  }

  #putCode(column: number, code: number): void {
    this.#entryColumns.push(column)
    this.#entryCodes.push(code)
  }

  #columnOf(name: string): BufferedColumn {
    let column = this.#byName.get(name)
    if (!column) {
      this.#byName.set(name, (column = new BufferedColumn(name, this.#columns.length)))
      this.#columns.push(column)
    }
    return column
  }
}

/** Rows of a buffer in the order of a chunk, and whose they are, from one place up to another. */
interface Slice {
  readonly order: readonly number[]
  readonly devices: readonly Device[]
  readonly begin: number
  readonly end: number
}

function runsOf({ devices, begin, end }: Slice): DeviceRuns {
  const own: Device[] = []
  const rows: number[] = []
  for (let at = begin; at < end; at++) {
    const device = devices[at]!
    if (device !== own.at(-1)) {
      own.push(device)
      rows.push(0)
    }
    rows[rows.length - 1]!++
  }
  return {
    high: Uint32Array.from(own, ({ high }) => high), low: Uint32Array.from(own, ({ low }) => low), rows: Uint32Array.from(rows),
    deviceIds: idsOf(own.map(({ id }) => id)),
  }
}

function isSorted(rows: readonly number[], before: (a: number, b: number) => number): boolean {
  for (let at = 1; at < rows.length; at++) if (before(rows[at - 1]!, rows[at]!) > 0) return false
  return true
}
