import type { FunnelRequest, Value } from '@hopper/contracts'
import type { Chunk, Codes } from '../chunk/chunk.ts'
import { idAt } from '../chunk/ids.ts'
import { Dictionary } from '../chunk/row-columns.ts'
import { keyColumn } from '../filter/key-column.ts'
import { endless, type Budget } from '../scan/budget.ts'
import { DeviceCursor, type Span } from '../scan/device-cursor.ts'
import { IdentityCursor, type Identities } from '../scan/identities.ts'
import { TupleNumbers } from '../scan/match-numbers.ts'
import { type FunnelPlan, type Symbols } from './funnel-plan.ts'
import { sessionsOf, type SessionNames } from './sessions.ts'
import { UnitRows } from './unit-rows.ts'

/** The chunks of one lane, in spans, and who its devices belong to. */
export interface LaneInput {
  readonly lane: number
  readonly spans: readonly Span[]
  readonly identities: Identities
}

/** What the units of one scan are made of, as plain data: events of persons with several devices, whose rows may lie in other lanes too. */
export interface SharedRows {
  readonly symbols: readonly { readonly steps: readonly number[]; readonly exclusions: readonly number[] }[]
  readonly groups: readonly (Value | null)[]
  readonly matches: readonly string[]
  readonly users: readonly string[]
  readonly rows: Pick<UnitRows, 'length' | 'time' | 'symbol' | 'match' | 'group' | 'seq' | 'position' | 'lane' | 'index' | 'unit'>
}

/** A chunk while the scan is in it. */
interface Prepared extends Symbols {
  readonly chunk: Chunk
  readonly times: Float64Array
  /** every row lies between the query's `from` and `end` */
  readonly inside: boolean
  readonly groupCodes: Codes
  readonly groupTable: Int32Array
  readonly match: (row: number) => number
}

const nobody = new Uint8Array(0)

/**
 * Walks the devices of lanes and hands over the events of each unit, in order. Devices that are a unit by themselves are handed over at once;
 * the events of persons with several devices are gathered and follow at the end.
 */
export abstract class UnitScan {
  readonly plan: FunnelPlan
  readonly #request: Pick<FunnelRequest, 'breakdown'>
  readonly #budget: Budget
  /** numbers of the breakdown values */
  protected readonly groups = new Dictionary()
  readonly #matches: TupleNumbers
  readonly #users = new Dictionary()
  #rows = new UnitRows()
  #spare = new UnitRows()
  readonly #sessions = new UnitRows()
  readonly #shared = new UnitRows()

  constructor(plan: FunnelPlan, budget: Budget = endless) {
    this.plan = plan
    this.#request = plan.request
    this.#budget = budget
    this.#matches = new TupleNumbers(plan.match)
    this.groups.code(null)
  }

  /** One unit: its rows from `begin` up to `end`. `who` names it, as long as the call lasts. */
  protected abstract unit(rows: UnitRows, begin: number, end: number, who: () => string): void

  scanLane({ lane, spans, identities }: LaneInput): void {
    const useful = spans.map((span) => span.filter((chunk) => this.plan.mayMatter(chunk.summary)))
    const cursor = new DeviceCursor(useful, (chunk) => this.#prepare(chunk))
    const known = new IdentityCursor(identities)
    const byPerson = this.plan.unit === 'person' && identities.keys.length > 0
    let identity = -1
    const device = (): string => idAt(cursor.prepared[0]!.chunk.deviceIds(), cursor.run)
    const who = (): string => (this.plan.unit === 'device' ? device() : identity >= 0 ? `u:${identities.users[identities.firstUser[identity]!]!}` : `d:${device()}`)
    while (cursor.next()) {
      if (byPerson) identity = known.find(cursor.key, cursor.rest)
      this.#rows.length = 0
      if (this.plan.unit === 'session') this.#countSessions(cursor, lane, device)
      else if (identity >= 0 && identities.shared[identity] === 1) this.#gatherShared(cursor, lane, identities.users, identities.firstUser[identity]!)
      else {
        this.#gather(cursor, lane)
        if (this.#rows.length > 0) this.unit(this.#rows, 0, this.#rows.length, who)
      }
    }
  }

  protected sharedRows(): SharedRows {
    const { length, time, symbol, match, group, seq, position, lane, index, unit } = this.#shared
    const cut = <T extends { slice(from: number, to: number): T }>(array: T): T => array.slice(0, length)
    return {
      symbols: this.plan.symbolSteps.map((steps, i) => ({ steps, exclusions: this.plan.symbolExclusions[i]! })),
      groups: this.groups.values,
      matches: this.#matches.names,
      users: this.#users.values as string[],
      rows: {
        length, time: cut(time), symbol: cut(symbol), match: cut(match), group: cut(group), seq: cut(seq), position: cut(position), lane: cut(lane),
        index: cut(index), unit: cut(unit),
      },
    }
  }

  /** Takes over what another scan of the same query gathered; answers the numbers here of its breakdown values. */
  protected absorbShared(shared: SharedRows): number[] {
    const groups = shared.groups.map((value) => this.groups.code(value))
    const matches = shared.matches.map((name) => this.#matches.number(name))
    const users = shared.users.map((user) => this.#users.code(user))
    const symbols = shared.symbols.map(({ steps, exclusions }, i) => (i === 0 ? 0 : this.plan.symbolOf(steps, exclusions)))
    const from = Object.assign(new UnitRows(), shared.rows)
    this.#shared.reserve(from.length)
    for (let i = 0; i < from.length; i++) {
      this.#shared.append(from, i)
      const at = this.#shared.length - 1
      this.#shared.symbol[at] = symbols[from.symbol[i]!]!
      this.#shared.match[at] = from.match[i]! < 0 ? -1 : matches[from.match[i]!]!
      this.#shared.group[at] = groups[from.group[i]!]!
      this.#shared.unit[at] = users[from.unit[i]!]!
    }
    return groups
  }

  /** Hands over the persons whose events were gathered. Nothing can be scanned after that. */
  protected finishShared(): void {
    const shared = this.#shared
    const rows = UnitRows.reordered(shared, shared.sorted((a, b) => shared.unit[a]! - shared.unit[b]! || shared.compare(a, b)))
    for (let begin = 0, end = 0; begin < rows.length; begin = end) {
      const user = rows.unit[begin]!
      while (end < rows.length && rows.unit[end] === user) end++
      this.unit(rows, begin, end, () => `u:${this.#users.values[user] as string}`)
    }
  }

  #prepare(chunk: Chunk): Prepared {
    this.#budget.check()
    const { codes, table } = this.plan.symbols(chunk)
    const { min_time, max_time } = chunk.summary
    const group = this.#request.breakdown === undefined ? undefined : keyColumn(chunk, this.#request.breakdown)
    return {
      chunk,
      times: chunk.times(),
      codes,
      table,
      inside: min_time >= this.plan.from && max_time < this.plan.end,
      groupCodes: group?.codes ?? nobody,
      groupTable: Int32Array.from(group?.values ?? [], (value) => this.groups.code(value)),
      match: this.plan.match.length > 0 ? this.#matches.reader(chunk) : () => -1,
    }
  }

  /** The device's events that mean something, in order. */
  #gather(cursor: DeviceCursor<Prepared>, lane: number): void {
    if (!inOrder(cursor)) {
      this.#gatherPlaces(cursor, lane, false)
      this.#sort()
      return
    }
    for (let s = 0; s < cursor.segments; s++) this.#gatherSegment(cursor.prepared[s]!, cursor.begins[s]!, cursor.ends[s]!)
  }

  #gatherSegment({ codes, table, times, inside, groupCodes, groupTable, match }: Prepared, begin: number, end: number): void {
    const { from, end: until } = this.plan
    const grouped = this.#request.breakdown !== undefined
    const matched = this.plan.match.length > 0
    const rows = this.#rows
    rows.reserve(end - begin)
    const { time, symbol: symbols, group } = rows
    let length = rows.length
    if (inside && !grouped && !matched) {
      // every row is written and only those that mean something are kept: a branch here would be guessed wrong too often
      for (let row = begin; row < end; row++) {
        const symbol = table[codes[row]!]!
        time[length] = times[row]!
        symbols[length] = symbol
        length += -symbol >>> 31
      }
      rows.length = length
      return
    }
    for (let row = begin; row < end; row++) {
      const symbol = table[codes[row]!]!
      if (symbol === 0) continue
      const at = times[row]!
      if (!inside && (at < from || at >= until)) continue
      time[length] = at
      symbols[length] = symbol
      group[length] = groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
      if (matched) rows.match[length] = match(row)
      length++
    }
    rows.length = length
  }

  /** As `gather`, with what breaks ties, and not sorted. `all` takes events that mean nothing too. */
  #gatherPlaces(cursor: DeviceCursor<Prepared>, lane: number, all: boolean, each?: (prepared: Prepared, row: number, at: number) => void): void {
    const rows = this.#rows
    for (let s = 0; s < cursor.segments; s++) {
      const prepared = cursor.prepared[s]!
      const { chunk, codes, table, times } = prepared
      const seq = chunk.numbers('seq')
      const position = chunk.numbers('position')
      const index = chunk.numbers('index')
      rows.reserve(cursor.ends[s]! - cursor.begins[s]!)
      for (let row = cursor.begins[s]!; row < cursor.ends[s]!; row++) {
        const symbol = table[codes[row]!]!
        if ((symbol === 0 && !all) || times[row]! < this.plan.from || times[row]! >= this.plan.end) continue
        const at = rows.length++
        rows.time[at] = times[row]!
        rows.symbol[at] = symbol
        rows.group[at] = prepared.groupTable.length > 0 ? prepared.groupTable[prepared.groupCodes[row]!]! : 0
        rows.match[at] = prepared.match(row)
        rows.seq[at] = seq[row]!
        rows.position[at] = position[row]!
        rows.index[at] = index[row]!
        rows.lane[at] = lane
        each?.(prepared, row, at)
      }
    }
  }

  #sort(): void {
    const rows = this.#rows
    let sorted = true
    for (let i = 1; i < rows.length && sorted; i++) sorted = rows.compare(i - 1, i) <= 0
    if (sorted) return
    this.#rows = UnitRows.reordered(rows, rows.sorted((a, b) => rows.compare(a, b)), this.#spare)
    this.#spare = rows
  }

  /** Rows of a device that is not a person by itself: each belongs to the user in effect, the anonymous ones to the device's first. */
  #gatherShared(cursor: DeviceCursor<Prepared>, lane: number, users: readonly string[], first: number): void {
    const rows = this.#rows
    this.#gatherPlaces(cursor, lane, false, ({ chunk }, row, at) => {
      const column = chunk.values('user')
      const user = column ? column.values[column.codes[row]!]! : null
      rows.unit[at] = this.#users.code(user ?? users[first]!)
    })
    this.#shared.reserve(rows.length)
    for (let i = 0; i < rows.length; i++) this.#shared.append(rows, i)
  }

  #countSessions(cursor: DeviceCursor<Prepared>, lane: number, device: () => string): void {
    const explicit = new Dictionary()
    const gathered = this.#rows
    this.#gatherPlaces(cursor, lane, true, ({ chunk }, row, at) => {
      const column = chunk.values('session_id')
      const session = column ? column.values[column.codes[row]!]! : null
      gathered.unit[at] = session === null ? -1 : explicit.code(session)
    })
    this.#sort()
    const rows = this.#rows
    const names: SessionNames = sessionsOf(rows, explicit.values as string[])
    const order = rows.sorted((a, b) => rows.unit[a]! - rows.unit[b]! || a - b).filter((i) => rows.symbol[i] !== 0)
    const sessions = UnitRows.reordered(rows, order, this.#sessions)
    for (let begin = 0, end = 0; begin < sessions.length; begin = end) {
      const session = sessions.unit[begin]!
      while (end < sessions.length && sessions.unit[end] === session) end++
      this.unit(sessions, begin, end, () => `${device()}/${names(session)}`)
    }
  }
}

/** Whether the device's spans follow each other in time, as they nearly always do. */
function inOrder(cursor: DeviceCursor<Prepared>): boolean {
  for (let s = 1; s < cursor.segments; s++) {
    const before = cursor.prepared[s - 1]!.times[cursor.ends[s - 1]! - 1]!
    if (before >= cursor.prepared[s]!.times[cursor.begins[s]!]!) return false
  }
  return true
}
