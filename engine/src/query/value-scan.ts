import { queryLimits, type ChunkSummary, type Filter, type Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { translate, type Codes } from '../chunk/encoding/codes.ts'
import { columnsOfKey, idColumns, numberColumns, SPILLED, SPILLED_KEYS } from '../chunk/event-keys.ts'
import { keyOfColumn, keysOfColumns } from '../chunk/key-names.ts'
import { classifyRows, possibleOutcomes } from '../filter/classify-rows.ts'
import { AtomSet, holds, keysOfAtoms, possible, type Atom, type Expression } from '../filter/compile-filters.ts'
import { columnsToRead, keyColumn } from '../filter/key-column.ts'
import { invalid, over, parseFilters, parseKey } from '../filter/parse-filters.ts'
import { withoutBots } from '../filter/without-bots.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'

/** Request for the values that the keys of matching events have. */
export interface ValuesRequest {
  /** ms, inclusive */
  readonly from: number
  /** ms, exclusive */
  readonly to: number
  readonly filters: readonly Filter[]
  /** a single key; default: every key with values of its own */
  readonly key?: string
  /** only values whose text has this prefix */
  readonly prefix?: string
  /** only keys with this prefix, if no key is given */
  readonly keyPrefix?: string
  /** maximum number of values per key, the most frequent first */
  readonly limit: number
}

export interface KeyValues {
  readonly key: string
  readonly values: readonly { readonly value: Value; readonly events: number }[]
  /** true if there are more values than the listed ones */
  readonly more: boolean
}

/**
 * The values of one key in one chunk, with the number of matching events that have each. An event counts as often as
 * its samplerate says.
 */
export interface KeyTally {
  readonly key: string
  readonly values: readonly Value[]
  readonly events: Float64Array
  readonly more: boolean
}

/**
 * Maximum number of values tracked over all chunks: of a single requested key, and of each key if all are requested.
 */
const VALUES_OF_ONE_MAX = 200_000
const VALUES_OF_EACH_MAX = 2_000
/** Maximum number of keys in an answer about all keys: the first by name. */
const KEYS_MAX = 20_000
const KEYS_PER_CHECK = 256

/** A compiled query for values. */
export class ValuePlan {
  readonly request: ValuesRequest
  /** the tests of all filters */
  readonly atoms: readonly Atom[]
  readonly expression: Expression

  constructor(request: ValuesRequest) {
    const { from, to, filters, key } = request
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to)
      throw invalid('from', 'must be an instant before to')
    if (to - from > queryLimits.rangeMsMax) throw over('from', 'rangeMsMax')
    if (key !== undefined) parseKey(key, 'key')
    this.request = request
    const parsed = parseFilters(filters)
    // a query for the values of `bot` is a query for bot events
    const atoms = new AtomSet()
    this.expression = atoms.compile(key === 'bot' ? parsed : withoutBots(parsed))
    this.atoms = atoms.atoms
  }

  /** Returns whether a chunk can contain anything relevant to the query, according to its summary. */
  canMatch(summary: ChunkSummary): boolean {
    const { from, to, key } = this.request
    if (summary.max_time < from || summary.min_time >= to) return false
    if (key !== undefined && columnsToRead(summary.columns, key).length === 0) return false
    return (possible(this.expression, possibleOutcomes(summary, this.atoms)) & 1) === 1
  }

  /** the keys that the query names; if it asks for all keys, only those of its filters */
  get named(): readonly string[] {
    return [...keysOfAtoms(this.atoms), ...(this.request.key === undefined ? [] : [this.request.key])]
  }

  wants(key: string): boolean {
    return this.request.key !== undefined || key.startsWith(this.request.keyPrefix ?? '')
  }

  /** Returns whether all events of a chunk are in the range, so that its tally is valid for every range around it. */
  surrounds({ min_time, max_time }: ChunkSummary): boolean {
    return min_time >= this.request.from && max_time < this.request.to
  }

  columns(summary: ChunkSummary): readonly string[] {
    const keys = [...keysOfAtoms(this.atoms), ...this.keys(summary), 'samplerate']
    const rare =
      this.request.key === undefined
        ? [SPILLED_KEYS, SPILLED].filter((name) => Object.hasOwn(summary.columns, name))
        : []
    return [...new Set(['runs', 'timestamp', ...rare, ...keys.flatMap((key) => columnsToRead(summary.columns, key))])]
  }

  /**
   * Returns the requested keys of a chunk, except those that are too rare for a column. Excludes times and ids: each
   * event has another value, so nobody would choose from a list of them.
   */
  keys({ columns }: ChunkSummary): readonly string[] {
    if (this.request.key !== undefined) return [this.request.key]
    const others: ReadonlySet<string> = new Set([...idColumns, ...numberColumns])
    const keys = keysOfColumns(Object.keys(columns).filter((name) => !others.has(name)))
    // a key that is too rare for a column may be `page`
    return Object.hasOwn(columns, SPILLED) ? [...new Set([...keys, 'page'])] : keys
  }
}

/** Counts the values of one chunk. */
export function tallyValues(plan: ValuePlan, chunk: Chunk, budget: Budget = unlimitedBudget): KeyTally[] {
  budget.check()
  const { from, to, key: single } = plan.request
  const { codes, classes, truths } = classifyRows(chunk, plan.atoms, budget)
  const matching = truths.map((truth) => holds(plan.expression, truth))
  const inside = plan.surrounds(chunk.summary)
  const times = inside ? undefined : chunk.times()
  const wanted = new Uint8Array(codes.length)
  translate(
    wanted,
    codes,
    Uint8Array.from(classes, (number) => Number(matching[number])),
    0,
    wanted.length,
  )
  if (times) for (let row = 0; row < wanted.length; row++) if (times[row]! < from || times[row]! >= to) wanted[row] = 0
  const weights = weightsOf(chunk, wanted)
  const max = single === undefined ? VALUES_OF_EACH_MAX : Infinity
  const ofKeys = plan.keys(chunk.summary).flatMap((key) => {
    budget.check()
    const column = plan.wants(key) ? keyColumn(chunk, key) : undefined
    if (!column) return []
    const counts = weights ? new Float64Array(column.values.length) : new Uint32Array(column.values.length)
    if (weights) weigh(counts, column.codes, weights)
    else count(counts as Uint32Array, column.codes, wanted)
    const found = Array.from(counts.keys()).filter((code) => counts[code]! > 0 && column.values[code] !== null)
    return tallyOf(
      key,
      found.map((code) => [column.values[code] as Value, counts[code]!]),
      max,
    )
  })
  return single === undefined ? [...ofKeys, ...tallyRareKeys(plan, chunk, weights ?? wanted, budget)] : ofKeys
}

/** Counts the values of keys without a column of their own. The cost is their entries, not a pass over the rows. */
function tallyRareKeys(plan: ValuePlan, chunk: Chunk, weights: Uint8Array | Float64Array, budget: Budget): KeyTally[] {
  const [keys, all] = [chunk.spilledKeys(), chunk.spilled()]
  if (!keys || !all) return []
  const columns = new Set(plan.keys(chunk.summary))
  return keys.names.flatMap((name, number) => {
    if (number % KEYS_PER_CHECK === 0) budget.check()
    const key = keyOfColumn(name)
    if (key === undefined || !plan.wants(key) || columns.has(key)) return []
    const column = columnsOfKey(key).length > 1 ? keyColumn(chunk, key) : undefined
    const counts = new Map<Value, number>()
    const add = (value: Value | null, row: number): void => {
      if (value !== null && weights[row]! > 0) counts.set(value, (counts.get(value) ?? 0) + weights[row]!)
    }
    if (column) for (let row = 0; row < weights.length; row++) add(column.values[column.codes[row]!]!, row)
    else
      for (let index = keys.starts[number]!; index < keys.starts[number + 1]!; index++)
        add(all.values[all.codes[index]!]!, all.rows[index]!)
    return tallyOf(key, [...counts], VALUES_OF_EACH_MAX)
  })
}

function tallyOf(key: string, found: (readonly [value: Value, events: number])[], max: number): KeyTally[] {
  if (found.length === 0) return []
  const kept = found.length <= max ? found : found.sort((a, b) => b[1] - a[1]).slice(0, max)
  return [
    {
      key,
      values: kept.map(([value]) => value),
      events: Float64Array.from(kept, ([, events]) => events),
      more: found.length > max,
    },
  ]
}

/** Returns how often each row counts; undefined if every wanted row counts once, which is nearly always the case. */
function weightsOf(chunk: Chunk, wanted: Uint8Array): Float64Array | undefined {
  const rates = chunk.values('samplerate')
  return rates && Float64Array.from(wanted, (is, row) => is * Number(rates.values[rates.codes[row]!] ?? 1))
}

function weigh(counts: Float64Array | Uint32Array, codes: Codes, weights: Float64Array): void {
  for (let row = 0; row < weights.length; row++) counts[codes[row]!]! += weights[row]!
}

/** Counts codes; a function of its own for the same reason as `translate`. */
function count(counts: Uint32Array, codes: Codes, wanted: Uint8Array): void {
  for (let row = 0; row < wanted.length; row++) counts[codes[row]!]! += wanted[row]!
}

/** Sums the tallies of chunks. */
export class ValueTotals {
  readonly #request: ValuesRequest
  /** keys after this one are ignored */
  #last: string | undefined
  readonly #keys = new Map<string, { readonly events: Map<Value, number>; more: boolean }>()

  constructor(request: ValuesRequest) {
    this.#request = request
  }

  add(tallies: readonly KeyTally[]): void {
    const { prefix = '', key: single } = this.#request
    const max = single === undefined ? VALUES_OF_EACH_MAX : VALUES_OF_ONE_MAX
    for (const { key, values, events, more } of tallies) {
      if (this.#last !== undefined && key > this.#last) continue
      let total = this.#keys.get(key)
      if (!total) this.#keys.set(key, (total = { events: new Map(), more: false }))
      total.more ||= more
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!
        const known = total.events.get(value)
        if (known !== undefined) total.events.set(value, known + events[i]!)
        else if (prefix !== '' && !String(value).startsWith(prefix)) continue
        else if (total.events.size < max) total.events.set(value, events[i]!)
        else total.more = true
      }
    }
    if (this.#keys.size > 2 * KEYS_MAX) this.#cut()
  }

  #cut(): void {
    const names = [...this.#keys.keys()].sort()
    for (const name of names.slice(KEYS_MAX)) this.#keys.delete(name)
    this.#last = names[KEYS_MAX - 1]
  }

  /** Returns the keys, sorted by name. */
  finish(): KeyValues[] {
    const { limit } = this.#request
    return [...this.#keys]
      .filter(([, { events }]) => events.size > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { events, more }]) => {
        const sorted = [...events].sort((a, b) => b[1] - a[1] || (String(a[0]) < String(b[0]) ? -1 : 1))
        return {
          key,
          values: sorted.slice(0, limit).map(([value, count]) => ({ value, events: count })),
          more: more || sorted.length > limit,
        }
      })
  }
}
