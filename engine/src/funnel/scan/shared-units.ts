import type { Value } from '@hopper/contracts'
import type { ValueColumn } from '../../chunk/chunk.ts'
import { Dictionary } from '../../chunk/value-column.ts'
import type { TupleNumbers } from '../../scan/match-numbers.ts'
import type { Meaning } from '../plan/funnel-plan.ts'
import type { PlanState } from './plan-state.ts'
import { UnitRows, type RowArrays } from './unit-rows.ts'

/** Gathered events of persons with several devices, as plain data: such a person may have rows in other lanes too. */
export interface SharedRows {
  readonly symbols: readonly Meaning[]
  readonly groups: readonly (Value | null)[]
  readonly matches: readonly string[]
  readonly users: readonly string[]
  readonly rows: RowArrays
}

/** Gathers the events of persons with several devices until all lanes are scanned. */
export class SharedUnits {
  readonly #state: PlanState
  readonly #groups: Dictionary
  readonly #matches: TupleNumbers
  readonly #withTieBreakers: boolean
  readonly #users = new Dictionary()
  /** the events so far: the caller appends those of a device in a chunk and then calls `take` */
  readonly rows = new UnitRows()
  /** the list of users that `#codes` belongs to; `#codes` caches their codes by number, -1 = not yet */
  #known: readonly string[] = []
  #codes = new Int32Array(0)

  /** segments taken so far */
  #segments = 0
  /** true if two devices of a person have events at the same instant whose order is unknown */
  tied = false

  /**
   * `groups` and `matches` assign numbers to the breakdown and match values of the scan; `withTieBreakers` means that
   * rows have tie-breakers.
   */
  constructor(state: PlanState, groups: Dictionary, matches: TupleNumbers, withTieBreakers: boolean) {
    this.#withTieBreakers = withTieBreakers
    this.#state = state
    this.#groups = groups
    this.#matches = matches
  }

  /**
   * Takes the rows from `begin` on: those of one device in a chunk, with their row number in it as `unit`. `column`
   * contains the user in effect; where it has none, the user is `first`, the device's first user as an index into
   * `users`.
   */
  take(begin: number, column: ValueColumn | undefined, first: number, users: readonly string[]): void {
    const { rows } = this
    if (rows.length === begin) return
    const code = this.#codeOf(first, users)
    for (let i = begin; i < rows.length; i++) {
      const user = column ? column.values[column.codes[rows.unit[i]!]!]! : null
      if (!this.#withTieBreakers) this.#placeIn(i)
      rows.unit[i] = user === null ? code : this.#users.code(user)
    }
    this.#segments++
  }

  /** Orders the events of a segment by their row, and segments by their number, in place of tie-breakers. */
  #placeIn(i: number): void {
    this.rows.seq[i] = 0
    this.rows.position[i] = this.#segments
    this.rows.index[i] = this.rows.unit[i]!
  }

  /** Returns the code of a user by its number, cached in an array: a lookup by name would be a likely cache miss. */
  #codeOf(number: number, users: readonly string[]): number {
    if (this.#known !== users) {
      this.#known = users
      this.#codes = new Int32Array(users.length).fill(-1)
    }
    const code = this.#codes[number]!
    return code < 0 ? (this.#codes[number] = this.#users.code(users[number]!)) : code
  }

  data(): SharedRows {
    return {
      symbols: this.#state.symbolSteps.map((steps, i) => ({ steps, exclusions: this.#state.symbolExclusions[i]! })),
      groups: this.#groups.values,
      matches: this.#matches.names,
      users: this.#users.values as string[],
      rows: this.rows.data(),
    }
  }

  /**
   * Adds the events gathered by another scan of the same query; returns its breakdown values as numbers of this scan.
   */
  absorb(shared: SharedRows): number[] {
    const groups = shared.groups.map((value) => this.#groups.code(value))
    const matches = shared.matches.map((name) => this.#matches.number(name))
    const users = shared.users.map((user) => this.#users.code(user))
    const symbols = shared.symbols.map((meaning, i) => (i === 0 ? 0 : this.#state.symbolOf(meaning)))
    const { rows } = this
    const begin = rows.length
    rows.appendAll(shared.rows)
    for (let i = begin; i < rows.length; i++) {
      rows.symbol[i] = symbols[rows.symbol[i]!]!
      rows.match[i] = rows.match[i]! < 0 ? -1 : matches[rows.match[i]!]!
      rows.group[i] = groups[rows.group[i]!]!
      rows.unit[i] = users[rows.unit[i]!]!
    }
    return groups
  }

  /** Calls `hand` for each person, with its events in order. */
  each(hand: (rows: UnitRows, begin: number, end: number, user: string) => void): void {
    const rows = this.rows
    const ends = new Uint32Array(this.#users.values.length)
    for (let i = 0; i < rows.length; i++) ends[rows.unit[i]!]!++
    for (let user = 1; user < ends.length; user++) ends[user]! += ends[user - 1]!
    const begins = ends.slice()
    const order = new Uint32Array(rows.length)
    for (let i = rows.length - 1; i >= 0; i--) order[--begins[rows.unit[i]!]!] = i
    const rowsOfUser = new UnitRows()
    for (let user = 0; user < ends.length; user++) {
      // a user may be known only as the first of a device and have no rows
      if (begins[user] === ends[user]) continue
      const places = order.subarray(begins[user], ends[user]).sort((a, b) => rows.compare(a, b))
      UnitRows.reordered(rows, places, rowsOfUser)
      if (!this.#withTieBreakers) this.tied ||= hasTie(rowsOfUser)
      hand(rowsOfUser, 0, rowsOfUser.length, this.#users.values[user] as string)
    }
  }
}

/** Returns whether events of different segments have the same timestamp. */
function hasTie({ length, time, position, lane }: UnitRows): boolean {
  for (let i = 1; i < length; i++)
    if (time[i] === time[i - 1] && (position[i] !== position[i - 1] || lane[i] !== lane[i - 1])) return true
  return false
}
