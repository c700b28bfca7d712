import type { FunnelRequest, FunnelResult, Value } from '@hopper/contracts'
import type { Chunk, Codes } from '../chunk/chunk.ts'
import { idAt } from '../chunk/ids.ts'
import { Dictionary } from '../chunk/row-columns.ts'
import { keyColumn } from '../filter/key-column.ts'
import { endless, type Budget } from '../scan/budget.ts'
import { DeviceCursor, type Span } from '../scan/device-cursor.ts'
import { IdentityCursor, type Identities } from '../scan/identities.ts'
import { TupleNumbers } from '../scan/match-numbers.ts'
import { Attempt } from './attempt.ts'
import { funnelAnswer } from './funnel-answer.ts'
import { FunnelPlan, type Symbols } from './funnel-plan.ts'
import { FunnelTally, type QueryContext, type TallyData } from './funnel-tally.ts'
import { FurthestAttempt } from './furthest-attempt.ts'
import { sessionsOf, type SessionNames } from './sessions.ts'
import { UnitRows } from './unit-rows.ts'

/** The chunks of one lane, in spans, and who its devices belong to. */
export interface LaneInput {
  readonly lane: number
  readonly spans: readonly Span[]
  readonly identities: Identities
}

/** What one thread found, as plain data; `mergeFunnelPartials` makes the answer of them. */
export interface FunnelPartial {
  readonly symbols: readonly { readonly steps: readonly number[]; readonly exclusions: readonly number[] }[]
  readonly groups: readonly (Value | null)[]
  readonly matches: readonly string[]
  readonly users: readonly string[]
  readonly tally: TallyData
  /** events of persons with several devices, whose rows may lie in other lanes too */
  readonly shared: Pick<UnitRows, 'length' | 'time' | 'symbol' | 'match' | 'group' | 'seq' | 'position' | 'lane' | 'index' | 'unit'>
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

/** Walks the devices of lanes and counts how far each unit got. Devices that are a unit by themselves are done at once, others are gathered. */
export class FunnelScan {
  readonly #request: FunnelRequest
  readonly #context: QueryContext
  readonly #budget: Budget
  readonly plan: FunnelPlan
  readonly #tally: FunnelTally
  readonly #attempt: Attempt
  readonly #furthest: FurthestAttempt
  readonly #groups = new Dictionary()
  readonly #matches: TupleNumbers
  readonly #users = new Dictionary()
  readonly #rows = new UnitRows()
  readonly #shared = new UnitRows()

  constructor(request: FunnelRequest, context: QueryContext, budget = endless) {
    this.#request = request
    this.#context = context
    this.#budget = budget
    this.plan = new FunnelPlan(request)
    this.#tally = new FunnelTally(request, context)
    this.#attempt = new Attempt(this.plan)
    this.#furthest = new FurthestAttempt(this.plan, this.#attempt)
    this.#matches = new TupleNumbers(this.plan.match)
    this.#groups.code(null)
  }

  scanLane({ lane, spans, identities }: LaneInput): void {
    const useful = spans.map((span) => span.filter((chunk) => this.plan.mayMatter(chunk.summary)))
    const cursor = new DeviceCursor(useful, (chunk) => this.#prepare(chunk))
    const known = new IdentityCursor(identities)
    const byPerson = this.plan.unit === 'person' && identities.keys.length > 0
    const rows = this.#rows
    let identity = -1
    const device = (): string => idAt(cursor.prepared[0]!.chunk.deviceIds(), cursor.run)
    const who = (): string => (this.plan.unit === 'device' ? device() : identity >= 0 ? `u:${identities.users[identities.firstUser[identity]!]!}` : `d:${device()}`)
    while (cursor.next()) {
      if (byPerson) identity = known.find(cursor.key, cursor.rest)
      rows.length = 0
      if (this.plan.unit === 'session') this.#countSessions(cursor, lane, device)
      else if (identity >= 0 && identities.shared[identity] === 1) this.#gatherShared(cursor, lane, identities.users, identities.firstUser[identity]!)
      else {
        this.#gather(cursor, lane)
        if (rows.length > 0) this.#count(rows, 0, rows.length, who)
      }
    }
  }

  partial(): FunnelPartial {
    const { length, time, symbol, match, group, seq, position, lane, index, unit } = this.#shared
    const cut = <T extends { slice(from: number, to: number): T }>(array: T): T => array.slice(0, length)
    return {
      symbols: this.plan.symbolSteps.map((steps, i) => ({ steps, exclusions: this.plan.symbolExclusions[i]! })),
      groups: this.#groups.values,
      matches: this.#matches.names,
      users: this.#users.values as string[],
      tally: this.#tally.data(),
      shared: {
        length, time: cut(time), symbol: cut(symbol), match: cut(match), group: cut(group), seq: cut(seq), position: cut(position), lane: cut(lane),
        index: cut(index), unit: cut(unit),
      },
    }
  }

  /** Takes over what another scan of the same query found. */
  absorb(partial: FunnelPartial): void {
    const groups = partial.groups.map((value) => this.#groups.code(value))
    const matches = partial.matches.map((name) => this.#matches.number(name))
    const users = partial.users.map((user) => this.#users.code(user))
    const symbols = partial.symbols.map(({ steps, exclusions }, i) => (i === 0 ? 0 : this.plan.symbolOf(steps, exclusions)))
    this.#tally.absorb(partial.tally, groups)
    const from = Object.assign(new UnitRows(), partial.shared)
    this.#shared.reserve(from.length)
    for (let i = 0; i < from.length; i++) {
      this.#shared.append(from, i)
      const at = this.#shared.length - 1
      this.#shared.symbol[at] = symbols[from.symbol[i]!]!
      this.#shared.match[at] = from.match[i]! < 0 ? -1 : matches[from.match[i]!]!
      this.#shared.group[at] = groups[from.group[i]!]!
      this.#shared.unit[at] = users[from.unit[i]!]!
    }
  }

  /** Counts the persons whose events were gathered, then answers. Nothing can be scanned after that. */
  finish(): FunnelResult {
    const shared = this.#shared
    const rows = UnitRows.reordered(shared, shared.sorted((a, b) => shared.unit[a]! - shared.unit[b]! || shared.compare(a, b)))
    for (let begin = 0, end = 0; begin < rows.length; begin = end) {
      const user = rows.unit[begin]!
      while (end < rows.length && rows.unit[end] === user) end++
      this.#count(rows, begin, end, () => `u:${this.#users.values[user] as string}`)
    }
    return funnelAnswer(this.#request, this.#context, this.#tally, this.#tally.groups.map((number) => this.#groups.values[number]!))
  }

  #count(rows: UnitRows, begin: number, end: number, who: () => string): void {
    this.#furthest.search(rows, begin, end)
    const { level, start } = this.#furthest
    if (level === 0) return
    this.#attempt.walk(rows, start, end)
    const cause = level < this.plan.steps ? this.#attempt.cause(rows, begin, end, this.#context.completeTo) : undefined
    this.#tally.add(level, rows, this.#attempt.taken, cause, who)
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
      groupTable: Int32Array.from(group?.values ?? [], (value) => this.#groups.code(value)),
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
    const grouped = groupTable.length > 0
    const matched = this.plan.match.length > 0
    const rows = this.#rows
    rows.reserve(end - begin)
    const { time, symbol: symbols, group } = rows
    let length = rows.length
    for (let row = begin; row < end; row++) {
      const symbol = table[codes[row]!]!
      if (symbol === 0) continue
      const at = times[row]!
      if (!inside && (at < from || at >= until)) continue
      time[length] = at
      symbols[length] = symbol
      group[length] = grouped ? groupTable[groupCodes[row]!]! : 0
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
    const sorted = UnitRows.reordered(this.#rows, this.#rows.sorted((a, b) => this.#rows.compare(a, b)))
    Object.assign(this.#rows, sorted)
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
    const rows = this.#rows
    const explicit = new Dictionary()
    this.#gatherPlaces(cursor, lane, true, ({ chunk }, row, at) => {
      const column = chunk.values('session_id')
      const session = column ? column.values[column.codes[row]!]! : null
      rows.unit[at] = session === null ? -1 : explicit.code(session)
    })
    this.#sort()
    const names: SessionNames = sessionsOf(rows, explicit.values as string[])
    const sessions = UnitRows.reordered(rows, rows.sorted((a, b) => rows.unit[a]! - rows.unit[b]! || a - b).filter((i) => rows.symbol[i] !== 0))
    for (let begin = 0, end = 0; begin < sessions.length; begin = end) {
      const session = sessions.unit[begin]!
      while (end < sessions.length && sessions.unit[end] === session) end++
      this.#count(sessions, begin, end, () => `${device()}/${names(session)}`)
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

/** The answer out of what the threads found. */
export function mergeFunnelPartials(request: FunnelRequest, context: QueryContext, partials: readonly FunnelPartial[]): FunnelResult {
  const scan = new FunnelScan(request, context)
  for (const partial of partials) scan.absorb(partial)
  return scan.finish()
}

/** Runs a whole funnel query in this thread. */
export function queryFunnel(request: FunnelRequest, context: QueryContext, lanes: readonly LaneInput[], budget?: Budget): FunnelResult {
  const scan = new FunnelScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
