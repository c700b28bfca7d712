import type { FunnelRequest } from '@hopper/contracts'
import type { Chunk } from '../../chunk/chunk.ts'
import { idAt } from '../../chunk/ids.ts'
import { Dictionary } from '../../chunk/value-column.ts'
import { keyColumn } from '../../filter/key-column.ts'
import { unlimitedBudget, type Budget } from '../../scan/budget.ts'
import { DeviceCursor, type Span } from '../../scan/device-cursor.ts'
import { identityOf, SEVERAL_USERS, SharedCursor, type Identities } from '../../scan/identities.ts'
import { TupleNumbers } from '../../scan/match-numbers.ts'
import type { FunnelPlan } from '../plan/funnel-plan.ts'
import { gatherWithTieBreakers, gatherSegment, gatherWithoutTieBreakers, type Prepared } from './gather-rows.ts'
import { PlanState } from './plan-state.ts'
import { sessionsOf, type SessionNames } from '../sessions.ts'
import { SharedUnits, type SharedRows } from './shared-units.ts'
import { UnitRows } from './unit-rows.ts'

/** The chunks of one lane, in spans, and the identities of its devices. */
export interface LaneInput {
  readonly lane: number
  readonly spans: readonly Span[]
  readonly identities: Identities
  /** Returns 1 for each run of a chunk whose device is scanned, 0 for the others; all are scanned if undefined. */
  readonly only?: (chunk: Chunk) => Uint8Array
}

/** Returns the name of the unit of a run, for a unit that has no device but that of the run. */
export type RunName = (run: number) => string

/**
 * Walks the devices of lanes and passes the events of each unit, in order, to `unit` or `units`. Devices that are a
 * unit by themselves are passed immediately; persons with several devices are gathered and passed at the end.
 */
export abstract class UnitScan {
  readonly plan: FunnelPlan
  /** true if the tie-breakers between a person's devices are read from the start */
  readonly withTieBreakers: boolean
  readonly #request: Pick<FunnelRequest, 'breakdown'>
  readonly #budget: Budget
  /** assigns numbers to the breakdown values */
  protected readonly groups = new Dictionary()
  /** state of this scan while it runs the plan, which itself never changes */
  protected readonly state: PlanState
  /** assigns numbers to the match values */
  protected readonly matches: TupleNumbers
  protected readonly shared: SharedUnits
  #rows = new UnitRows()
  #spare = new UnitRows()
  readonly #sessions = new UnitRows()
  /** the lane being scanned */
  #lane = 0
  #identities: Identities | undefined
  #only: LaneInput['only']

  /**
   * Without `withTieBreakers`, the caller must check `hasUnresolvedTies` afterwards: few persons ever have events on
   * two devices in the same millisecond.
   */
  constructor(plan: FunnelPlan, budget: Budget = unlimitedBudget, withTieBreakers = true) {
    this.plan = plan
    this.withTieBreakers = withTieBreakers
    this.#request = plan.request
    this.#budget = budget
    this.matches = new TupleNumbers(plan.match)
    this.groups.code(null)
    this.state = new PlanState(plan)
    this.shared = new SharedUnits(this.state, this.groups, this.matches, withTieBreakers)
  }

  /**
   * Processes one unit: its rows from `begin` up to `end`. `who` returns its name and is only valid during the call.
   */
  protected abstract unit(rows: UnitRows, begin: number, end: number, who: () => string): void

  /**
   * Processes the devices of the runs from `first` up to `last`, each of which is a unit with all its rows in this
   * chunk, in order.
   */
  protected units(prepared: Prepared, first: number, last: number, name: RunName): void {
    const { starts } = prepared
    const rows = this.#rows
    let run = first
    const who = (): string => name(run)
    for (; run < last; run++) {
      if (prepared.runs?.[run] === 0) continue
      rows.length = 0
      gatherSegment(rows, prepared, starts[run]!, starts[run + 1]!)
      if (rows.length > 0) this.unit(rows, 0, rows.length, who)
    }
    rows.length = 0
  }

  scanLane({ lane, spans, identities, only }: LaneInput): void {
    const useful = spans
      .map((span) => span.filter((chunk) => this.state.canMatch(chunk.summary)))
      .filter((span) => span.length > 0)
    this.#lane = lane
    this.#only = only
    this.#identities = this.plan.unit === 'person' && identities.keys.length > 0 ? identities : undefined
    this.#rows.length = 0
    if (useful.length === 1 && this.plan.unit !== 'session') this.#scanSpan(useful[0]!)
    else this.#scanSpans(useful)
  }

  /**
   * Scans a single span: passes all devices of a chunk together, except for shared devices and a device that continues
   * in the next chunk.
   */
  #scanSpan(span: Span): void {
    const cursor = this.#identities && new SharedCursor(this.#identities)
    let carried = false
    for (let part = 0; part < span.length; part++) {
      const chunk = span[part]!
      const prepared = this.#prepare(chunk)
      const { keys, rests } = chunk.runs()
      const name: RunName = (run) => this.#nameOf(chunk, run)
      const goesOn = span[part + 1] !== undefined && sameDevice(chunk, span[part + 1]!)
      const last = goesOn ? keys.length - 1 : keys.length
      const sharedFrom = (run: number, end: number): number => (cursor ? cursor.next(keys, rests, run, end) : end)
      let run = 0
      if (carried && last > 0) {
        this.#carry(prepared, 0, sharedFrom(0, 1) === 0 ? cursor!.entry : -1)
        if (this.#rows.length > 0) this.unit(this.#rows, 0, this.#rows.length, () => name(0))
        this.#rows.length = 0
        carried = false
        run = 1
      }
      while (run < last) {
        const end = sharedFrom(run, last)
        if (run < end) this.units(prepared, run, end, name)
        if (end < last) this.#share(prepared, end, cursor!.entry)
        run = end + 1
      }
      if (goesOn) this.#carry(prepared, last, sharedFrom(last, last + 1) === last ? cursor!.entry : -1)
      carried = goesOn
    }
  }

  /** Keeps the rows of a device that continues in the next chunk; `identity` is -1 unless the device is shared. */
  #carry(prepared: Prepared, run: number, identity: number): void {
    const { starts } = prepared
    if (identity >= 0) this.#share(prepared, run, identity)
    else if (prepared.runs?.[run] !== 0) gatherSegment(this.#rows, prepared, starts[run]!, starts[run + 1]!)
  }

  /** Scans several spans: the events of a device may be in any of them. */
  #scanSpans(spans: readonly Span[]): void {
    const cursor = new DeviceCursor(spans, (chunk) => this.#prepare(chunk))
    const shared = this.#identities && new SharedCursor(this.#identities)
    const key = new Float64Array(1)
    const rest = new Uint16Array(1)
    while (cursor.next()) {
      if (this.#only && cursor.prepared[0]!.runs?.[cursor.run] === 0 && this.plan.unit === 'session') continue
      key[0] = cursor.key
      rest[0] = cursor.rest
      if (this.plan.unit === 'session') this.#countSessions(cursor)
      else if (shared?.next(key, rest, 0, 1) === 0) {
        for (let s = 0; s < cursor.segments; s++) this.#share(cursor.prepared[s]!, cursor.runs[s]!, shared.entry)
      } else if (cursor.segments === 1) {
        const prepared = cursor.prepared[0]!
        if (prepared.runs?.[cursor.run] !== 0)
          this.units(prepared, cursor.run, cursor.run + 1, (run) => this.#nameOf(prepared.chunk, run))
      } else {
        this.#gather(cursor)
        if (this.#rows.length > 0)
          this.unit(this.#rows, 0, this.#rows.length, () => this.#nameOf(cursor.prepared[0]!.chunk, cursor.run))
      }
    }
  }

  #nameOf(chunk: Chunk, run: number): string {
    const device = (): string => idAt(chunk.deviceIds(), run)
    if (this.plan.unit === 'device') return device()
    const { keys, rests } = chunk.runs()
    const identity = this.#identities ? identityOf(this.#identities, keys[run]!, rests[run]!) : -1
    return identity < 0 ? `d:${device()}` : `u:${this.#identities!.users[this.#identities!.firstUser[identity]!]!}`
  }

  /**
   * After `finish`: whether the answer may be wrong, because there were ties that only a scan with `withTieBreakers`
   * can break.
   */
  get hasUnresolvedTies(): boolean {
    return this.shared.tied
  }

  protected sharedRows(): SharedRows {
    return this.shared.data()
  }

  /** Processes the persons whose events were gathered. Nothing can be scanned afterwards. */
  protected finishShared(): void {
    this.shared.each((rows, begin, end, user) => this.unit(rows, begin, end, () => `u:${user}`))
  }

  #prepare(chunk: Chunk): Prepared {
    this.#budget.check()
    const symbols = this.state.symbols(chunk, this.#budget)
    const only = this.#only?.(chunk)
    const { min_time, max_time, devices } = chunk.summary
    const group =
      this.#request.breakdown === undefined || !symbols ? undefined : keyColumn(chunk, this.#request.breakdown)
    return {
      chunk,
      starts: chunk.runs().starts,
      places: undefined,
      from: this.plan.from,
      until: this.plan.end,
      inside: min_time >= this.plan.from && max_time < this.plan.end,
      ...(symbols ?? {
        codes: new Uint8Array(0),
        table: new Uint16Array(0),
        steps: new Uint8Array(0),
        runs: new Uint8Array(devices),
      }),
      ...(only && symbols ? { runs: bothOf(only, symbols.runs) } : {}),
      times: symbols ? chunk.timeOffsets() : { base: 0, offsets: new Uint32Array(0) },
      groupCodes: group?.codes ?? new Uint8Array(0),
      groupTable: Int32Array.from(group?.values ?? [], (value) => this.groups.code(value)),
      match: this.plan.match.length > 0 && symbols ? this.matches.reader(chunk) : undefined,
    }
  }

  /** Gathers the relevant events of the current device, in order. */
  #gather(cursor: DeviceCursor<Prepared>): void {
    const rows = this.#rows
    rows.length = 0
    const ordered = inOrder(cursor)
    for (let s = 0; s < cursor.segments; s++) {
      const prepared = cursor.prepared[s]!
      if (prepared.runs?.[cursor.runs[s]!] === 0) continue
      if (!ordered) gatherWithTieBreakers(rows, prepared, cursor.runs[s]!, this.#lane, false)
      else gatherSegment(rows, prepared, cursor.begins[s]!, cursor.ends[s]!)
    }
    if (!ordered) this.#sort()
  }

  #sort(): void {
    const rows = this.#rows
    let sorted = true
    for (let i = 1; i < rows.length && sorted; i++) sorted = rows.compare(i - 1, i) <= 0
    if (sorted) return
    this.#rows = UnitRows.reordered(
      rows,
      rows.sorted((a, b) => rows.compare(a, b)),
      this.#spare,
    )
    this.#spare = rows
  }

  /** Gathers the rows of a shared device, which is not a person by itself. */
  #share(prepared: Prepared, run: number, identity: number): void {
    if (prepared.runs?.[run] === 0) return
    const { chunk } = prepared
    const { users, firstUser, shared } = this.#identities!
    const { rows } = this.shared
    const begin = rows.length
    if (this.withTieBreakers) gatherWithTieBreakers(rows, prepared, run, this.#lane, false)
    else gatherWithoutTieBreakers(rows, prepared, run, this.#lane, false)
    this.shared.take(
      begin,
      shared[identity] === SEVERAL_USERS ? chunk.values('user') : undefined,
      firstUser[identity]!,
      users,
    )
  }

  #countSessions(cursor: DeviceCursor<Prepared>): void {
    const device = (): string => idAt(cursor.prepared[0]!.chunk.deviceIds(), cursor.run)
    const explicit = new Dictionary()
    const gathered = this.#rows
    gathered.length = 0
    for (let s = 0, i = 0; s < cursor.segments; s++) {
      gatherWithTieBreakers(gathered, cursor.prepared[s]!, cursor.runs[s]!, this.#lane, true)
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

/** Returns 1 for each run that is 1 in both; `b` undefined means 1 for all runs. */
function bothOf(a: Uint8Array, b: Uint8Array | undefined): Uint8Array {
  return b === undefined ? a : a.map((one, run) => one & b[run]!)
}

/** Returns whether a device continues from one part of a span to the next. */
function sameDevice(chunk: Chunk, next: Chunk): boolean {
  return chunk.summary.last_device === next.summary.first_device
}

/** Returns whether the device's rows in different spans are consecutive in time, as they nearly always are. */
function inOrder(cursor: DeviceCursor<Prepared>): boolean {
  let before: number | undefined
  for (let s = 0; s < cursor.segments; s++) {
    const { runs, times } = cursor.prepared[s]!
    if (runs?.[cursor.runs[s]!] === 0) continue
    if (before !== undefined && before >= times.base + times.offsets[cursor.begins[s]!]!) return false
    before = times.base + times.offsets[cursor.ends[s]! - 1]!
  }
  return true
}
