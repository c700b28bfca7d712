import type { Value } from '@hopper/contracts'
import type { ValueColumn } from '../chunk/chunk.ts'
import { Dictionary } from '../chunk/value-column.ts'
import type { TupleNumbers } from '../scan/match-numbers.ts'
import type { FunnelPlan } from './funnel-plan.ts'
import { UnitRows } from './unit-rows.ts'

/** What the units of one scan are made of, as plain data: events of persons with several devices, whose rows may lie in other lanes too. */
export interface SharedRows {
  readonly symbols: readonly { readonly steps: readonly number[]; readonly exclusions: readonly number[] }[]
  readonly groups: readonly (Value | null)[]
  readonly matches: readonly string[]
  readonly users: readonly string[]
  readonly rows: Pick<UnitRows, 'length' | 'time' | 'symbol' | 'match' | 'group' | 'seq' | 'position' | 'lane' | 'index' | 'unit'>
}

/** Gathers the events of persons with several devices until all lanes are walked. */
export class SharedUnits {
  readonly #plan: FunnelPlan
  readonly #groups: Dictionary
  readonly #matches: TupleNumbers
  readonly #placed: boolean
  readonly #users = new Dictionary()
  readonly #rows = new UnitRows()
  /** the names whose codes are known by number, and the codes, -1 = not yet */
  #known: readonly string[] = []
  #codes = new Int32Array(0)

  /** segments taken so far */
  #segments = 0
  /** whether two devices of a person have events at the same instant whose order is not known */
  tied = false

  /** `groups` and `matches` number the breakdown and match values of the scan; `placed` when the rows come with what breaks ties. */
  constructor(plan: FunnelPlan, groups: Dictionary, matches: TupleNumbers, placed: boolean) {
    this.#placed = placed
    this.#plan = plan
    this.#groups = groups
    this.#matches = matches
  }

  /** Rows of one device in a chunk, with their row in it as `unit`. `column` has the user in effect; where it is missing, it is the device's first, by its number. */
  take(rows: UnitRows, column: ValueColumn | undefined, first: number, users: readonly string[]): void {
    if (rows.length === 0) return
    const code = this.#codeOf(first, users)
    this.#rows.reserve(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const user = column ? column.values[column.codes[rows.unit[i]!]!]! : null
      if (!this.#placed) this.#placeIn(rows, i)
      rows.unit[i] = user === null ? code : this.#users.code(user)
      this.#rows.append(rows, i)
    }
    this.#segments++
  }

  /** Events of a segment stand in their order: it is told from others by its number. */
  #placeIn(rows: UnitRows, i: number): void {
    rows.seq[i] = 0
    rows.position[i] = this.#segments
    rows.index[i] = rows.unit[i]!
  }

  /** A look into a list, where one into the names of all users would be far away in memory. */
  #codeOf(number: number, users: readonly string[]): number {
    if (this.#known !== users) {
      this.#known = users
      this.#codes = new Int32Array(users.length).fill(-1)
    }
    const code = this.#codes[number]!
    return code < 0 ? (this.#codes[number] = this.#users.code(users[number]!)) : code
  }

  data(): SharedRows {
    const { length, time, symbol, match, group, seq, position, lane, index, unit } = this.#rows
    const cut = <T extends { slice(from: number, to: number): T }>(array: T): T => array.slice(0, length)
    return {
      symbols: this.#plan.symbolSteps.map((steps, i) => ({ steps, exclusions: this.#plan.symbolExclusions[i]! })),
      groups: this.#groups.values,
      matches: this.#matches.names,
      users: this.#users.values as string[],
      rows: {
        length, time: cut(time), symbol: cut(symbol), match: cut(match), group: cut(group), seq: cut(seq), position: cut(position), lane: cut(lane),
        index: cut(index), unit: cut(unit),
      },
    }
  }

  /** Takes over what another scan of the same query gathered; answers the numbers here of its breakdown values. */
  absorb(shared: SharedRows): number[] {
    const groups = shared.groups.map((value) => this.#groups.code(value))
    const matches = shared.matches.map((name) => this.#matches.number(name))
    const users = shared.users.map((user) => this.#users.code(user))
    const symbols = shared.symbols.map(({ steps, exclusions }, i) => (i === 0 ? 0 : this.#plan.symbolOf(steps, exclusions)))
    const from = Object.assign(new UnitRows(), shared.rows)
    const rows = this.#rows
    rows.reserve(from.length)
    for (let i = 0; i < from.length; i++) {
      rows.append(from, i)
      const at = rows.length - 1
      rows.symbol[at] = symbols[from.symbol[i]!]!
      rows.match[at] = from.match[i]! < 0 ? -1 : matches[from.match[i]!]!
      rows.group[at] = groups[from.group[i]!]!
      rows.unit[at] = users[from.unit[i]!]!
    }
    return groups
  }

  /** Hands over the persons one by one, each one's events in order. */
  each(hand: (rows: UnitRows, begin: number, end: number, user: string) => void): void {
    const rows = this.#rows
    const ends = new Uint32Array(this.#users.values.length)
    for (let i = 0; i < rows.length; i++) ends[rows.unit[i]!]!++
    for (let user = 1; user < ends.length; user++) ends[user]! += ends[user - 1]!
    const begins = ends.slice()
    const order = new Uint32Array(rows.length)
    for (let i = rows.length - 1; i >= 0; i--) order[--begins[rows.unit[i]!]!] = i
    const own = new UnitRows()
    for (let user = 0; user < ends.length; user++) {
      // a user may be known only as a device's first, and have no rows
      if (begins[user] === ends[user]) continue
      const places = order.subarray(begins[user], ends[user]).sort((a, b) => rows.compare(a, b))
      UnitRows.reordered(rows, places, own)
      if (!this.#placed) this.tied ||= hasTie(own)
      hand(own, 0, own.length, this.#users.values[user] as string)
    }
  }
}

/** Whether events of different segments come at the same instant. */
function hasTie({ length, time, position, lane }: UnitRows): boolean {
  for (let i = 1; i < length; i++) if (time[i] === time[i - 1] && (position[i] !== position[i - 1] || lane[i] !== lane[i - 1])) return true
  return false
}
