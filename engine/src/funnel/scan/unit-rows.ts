const columns = ['time', 'symbol', 'match', 'group', 'seq', 'position', 'lane', 'index', 'unit'] as const

/** `UnitRows` as plain data. */
export type RowArrays = Readonly<Pick<UnitRows, 'length' | (typeof columns)[number]>>

/** Events of units, sorted by time, as seen by the kernel. Growable and reused: nothing is allocated per unit. */
export class UnitRows {
  length = 0
  time = new Float64Array(1024)
  symbol = new Uint16Array(1024)
  /** number of the match values; -1 when one is missing, which equals nothing */
  match = new Int32Array(1024)
  /** number of the breakdown value */
  group = new Int32Array(1024)
  seq = new Float64Array(1024)
  position = new Float64Array(1024)
  lane = new Uint32Array(1024)
  index = new Float64Array(1024)
  /** number of the person or session */
  unit = new Int32Array(1024)

  /** Ensures capacity for `rows` more rows. */
  reserve(rows: number): void {
    let capacity = this.time.length
    if (this.length + rows <= capacity) return
    while (capacity < this.length + rows) capacity *= 2
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.time = grown(new Float64Array(capacity), this.time)
    this.symbol = grown(new Uint16Array(capacity), this.symbol)
    this.match = grown(new Int32Array(capacity), this.match)
    this.group = grown(new Int32Array(capacity), this.group)
    this.seq = grown(new Float64Array(capacity), this.seq)
    this.position = grown(new Float64Array(capacity), this.position)
    this.lane = grown(new Uint32Array(capacity), this.lane)
    this.index = grown(new Float64Array(capacity), this.index)
    this.unit = grown(new Int32Array(capacity), this.unit)
  }

  /** Appends rows column by column. */
  appendAll(from: RowArrays): void {
    this.reserve(from.length)
    for (const column of columns) this[column].set(from[column].subarray(0, from.length), this.length)
    this.length += from.length
  }

  /** Returns a copy of the rows as plain data. */
  data(): RowArrays {
    const cut = columns.map((column) => [column, this[column].slice(0, this.length)] as const)
    return { length: this.length, ...(Object.fromEntries(cut) as unknown as Pick<UnitRows, (typeof columns)[number]>) }
  }

  /** Appends row i of other rows. The caller must `reserve` capacity first. */
  append(from: UnitRows, i: number): void {
    const end = this.length++
    this.time[end] = from.time[i]!
    this.symbol[end] = from.symbol[i]!
    this.match[end] = from.match[i]!
    this.group[end] = from.group[i]!
    this.seq[end] = from.seq[i]!
    this.position[end] = from.position[i]!
    this.lane[end] = from.lane[i]!
    this.index[end] = from.index[i]!
    this.unit[end] = from.unit[i]!
  }

  /** Drops all but the last `rows` rows. */
  keepLast(rows: number): void {
    const from = this.length - rows
    for (const column of [this.time, this.symbol, this.match, this.group]) column.copyWithin(0, from, this.length)
    this.length = rows
  }

  /** Orders the events of a unit: by timestamp, `seq`, then place in the log. */
  compare(a: number, b: number): number {
    return (
      this.time[a]! - this.time[b]! ||
      this.seq[a]! - this.seq[b]! ||
      this.position[a]! - this.position[b]! ||
      this.lane[a]! - this.lane[b]! ||
      this.index[a]! - this.index[b]!
    )
  }

  /** Returns the row numbers in the order of `by`; the sort is stable. */
  sorted(by: (a: number, b: number) => number): Uint32Array {
    return Uint32Array.from({ length: this.length }, (_, i) => i).sort(by)
  }

  /** Copies rows to `out` in the given order. */
  static reordered(rows: UnitRows, order: Uint32Array, out = new UnitRows()): UnitRows {
    out.length = 0
    out.reserve(order.length)
    for (const i of order) out.append(rows, i)
    return out
  }
}
