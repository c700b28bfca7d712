import type { FunnelRequest, Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { idAt } from '../chunk/ids.ts'
import { Dictionary } from '../chunk/row-columns.ts'
import { keyColumn } from '../filter/key-column.ts'
import { endless, type Budget } from '../scan/budget.ts'
import { DeviceCursor, type Span } from '../scan/device-cursor.ts'
import { IdentityCursor, type Identities } from '../scan/identities.ts'
import { TupleNumbers } from '../scan/match-numbers.ts'
import type { FunnelPlan } from './funnel-plan.ts'
import { gatherPlaces, gatherRuns, gatherSegment, type Prepared } from './gather-rows.ts'
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
    const useful = spans.map((span) => span.filter((chunk) => this.plan.mayMatter(chunk.summary))).filter((span) => span.length > 0)
    if (useful.length === 1 && this.plan.unit !== 'session') this.#scanSpan(useful[0]!, lane, identities)
    else this.#scanSpans(useful, lane, identities)
  }

  /** One span: the rows of each chunk are gathered in one go, then its devices handed over one by one. */
  #scanSpan(span: Span, lane: number, identities: Identities): void {
    const known = new IdentityCursor(identities)
    const byPerson = this.plan.unit === 'person' && identities.keys.length > 0
    const rows = this.#rows
    let identity = -1
    let chunk = span[0]!
    let run = 0
    const who = (): string => this.#nameOf(identity < 0 ? undefined : identities.users[identities.firstUser[identity]!]!, () => idAt(chunk.deviceIds(), run))
    rows.length = 0
    for (let part = 0; part < span.length; part++) {
      chunk = span[part]!
      const prepared = this.#prepare(chunk)
      const { keys, rests, starts } = chunk.runs()
      const bounds = gatherRuns(rows, prepared, starts)
      const last = keys.length - 1
      const continued = span[part + 1] !== undefined && sameDevice(chunk, span[part + 1]!)
      let carried = 0
      for (run = 0; run <= last; run++) {
        const begin = bounds[run]!
        const end = bounds[run + 1]!
        if (begin === end) continue
        if (byPerson) identity = known.find(keys[run]!, rests[run]!)
        if (identity >= 0 && identities.shared[identity] === 1) {
          this.#spare.length = 0
          gatherPlaces(this.#spare, prepared, starts[run]!, starts[run + 1]!, lane, false)
          this.#share(this.#spare, prepared, identities.users[identities.firstUser[identity]!]!)
        } else if (continued && run === last) carried = end - begin
        else this.unit(rows, begin, end, who)
      }
      rows.keepLast(carried)
    }
  }

  /** Several spans: a device's events may lie in any of them. */
  #scanSpans(spans: readonly Span[], lane: number, identities: Identities): void {
    const cursor = new DeviceCursor(spans, (chunk) => this.#prepare(chunk))
    const known = new IdentityCursor(identities)
    const byPerson = this.plan.unit === 'person' && identities.keys.length > 0
    let identity = -1
    const device = (): string => idAt(cursor.prepared[0]!.chunk.deviceIds(), cursor.run)
    const who = (): string => this.#nameOf(identity < 0 ? undefined : identities.users[identities.firstUser[identity]!]!, device)
    while (cursor.next()) {
      if (byPerson) identity = known.find(cursor.key, cursor.rest)
      this.#rows.length = 0
      if (this.plan.unit === 'session') this.#countSessions(cursor, lane, device)
      else if (identity >= 0 && identities.shared[identity] === 1) {
        for (let s = 0; s < cursor.segments; s++) {
          this.#rows.length = 0
          gatherPlaces(this.#rows, cursor.prepared[s]!, cursor.begins[s]!, cursor.ends[s]!, lane, false)
          this.#share(this.#rows, cursor.prepared[s]!, identities.users[identities.firstUser[identity]!]!)
        }
      } else {
        this.#gather(cursor, lane)
        if (this.#rows.length > 0) this.unit(this.#rows, 0, this.#rows.length, who)
      }
    }
  }

  #nameOf(user: string | undefined, device: () => string): string {
    if (this.plan.unit === 'device') return device()
    return user === undefined ? `d:${device()}` : `u:${user}`
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
    const { codes, table } = this.plan.symbols(chunk, this.#budget)
    const { min_time, max_time } = chunk.summary
    const group = this.#request.breakdown === undefined ? undefined : keyColumn(chunk, this.#request.breakdown)
    return {
      chunk,
      from: this.plan.from,
      until: this.plan.end,
      grouped: this.#request.breakdown !== undefined,
      times: chunk.times(),
      codes,
      table,
      inside: min_time >= this.plan.from && max_time < this.plan.end,
      groupCodes: group?.codes ?? new Uint8Array(0),
      groupTable: Int32Array.from(group?.values ?? [], (value) => this.groups.code(value)),
      match: this.plan.match.length > 0 ? this.#matches.reader(chunk) : undefined,
    }
  }

  /** The device's events that mean something, in order. */
  #gather(cursor: DeviceCursor<Prepared>, lane: number): void {
    const rows = this.#rows
    const ordered = inOrder(cursor)
    for (let s = 0; s < cursor.segments; s++) {
      const prepared = cursor.prepared[s]!
      const [begin, end] = [cursor.begins[s]!, cursor.ends[s]!]
      if (!ordered) gatherPlaces(rows, prepared, begin, end, lane, false)
      else gatherSegment(rows, prepared, begin, end)
    }
    if (!ordered) this.#sort()
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
  #share(rows: UnitRows, { chunk }: Prepared, first: string): void {
    const column = chunk.values('user')
    this.#shared.reserve(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const user = column ? column.values[column.codes[rows.unit[i]!]!]! : null
      rows.unit[i] = this.#users.code(user ?? first)
      this.#shared.append(rows, i)
    }
  }

  #countSessions(cursor: DeviceCursor<Prepared>, lane: number, device: () => string): void {
    const explicit = new Dictionary()
    const gathered = this.#rows
    for (let s = 0, i = 0; s < cursor.segments; s++) {
      gatherPlaces(gathered, cursor.prepared[s]!, cursor.begins[s]!, cursor.ends[s]!, lane, true)
      const column = cursor.prepared[s]!.chunk.values('session_id')
      for (; i < gathered.length; i++) {
        const session = column ? column.values[column.codes[gathered.unit[i]!]!]! : null
        gathered.unit[i] = session === null ? -1 : explicit.code(session)
      }
    }
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

/** Whether a device's rows go on from one part of a span to the next. */
function sameDevice(chunk: Chunk, next: Chunk): boolean {
  return chunk.summary.last_device === next.summary.first_device
}

/** Whether the device's spans follow each other in time, as they nearly always do. */
function inOrder(cursor: DeviceCursor<Prepared>): boolean {
  for (let s = 1; s < cursor.segments; s++) {
    const before = cursor.prepared[s - 1]!.times[cursor.ends[s - 1]! - 1]!
    if (before >= cursor.prepared[s]!.times[cursor.begins[s]!]!) return false
  }
  return true
}
