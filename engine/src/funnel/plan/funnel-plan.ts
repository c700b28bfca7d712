import {
  queryLimits,
  type ChunkSummary,
  type FunnelOrder,
  type FunnelRequest,
  type FunnelUnit,
} from '@hopper/contracts'
import type { Chunk } from '../../chunk/chunk.ts'
import type { Codes } from '../../chunk/encoding/codes.ts'
import { classifyRows, possibleOutcomes } from '../../filter/classify-rows.ts'
import { AtomSet, holds, possible, type Expression } from '../../filter/compile-filters.ts'
import { columnsToRead } from '../../filter/key-column.ts'
import { passingRuns, type KeyFilter } from '../../filter/run-filter.ts'
import { ValueTruths } from '../../filter/value-truths.ts'
import { FilterBudget, invalid, over, parseFilters, parseKey } from '../../filter/parse-filters.ts'
import type { Budget } from '../../scan/budget.ts'
import { withoutBots } from '../../filter/without-bots.ts'

export const WINDOW_MS_DEFAULT = 7 * 86_400_000

/** Rows of a chunk by their meaning for the query: row i has the symbol `table[codes[i]]`; 0 = irrelevant. */
export interface Symbols {
  readonly codes: Codes
  readonly table: Uint16Array
  /** the step of each code, 0 = none; only valid while the plan is simple */
  readonly steps: Uint8Array
  /** by run: 0 = excluded by the filters, so that its rows are irrelevant; undefined when no run is excluded */
  readonly runs: Uint8Array | undefined
}

interface Exclusion {
  readonly expression: Expression
  readonly after: number
  readonly before: number
}

/**
 * A compiled funnel query. Each row is mapped to a symbol: the set of steps and exclusions that its event matches. The
 * kernel sees only the symbol, the time and the match values of an event. Symbols are numbered by first occurrence.
 */
export class FunnelPlan {
  readonly request: FunnelRequest
  readonly steps: number
  readonly order: FunnelOrder
  readonly unit: FunnelUnit
  readonly windowMs: number
  readonly match: readonly string[]
  readonly exclusions: readonly Exclusion[]
  readonly from: number
  readonly to: number
  /** exclusive end of the events to read: `to` plus the window */
  readonly end: number
  /** steps of each symbol, numbered from 1, the highest first */
  readonly symbolSteps: (readonly number[])[] = [[]]
  /** exclusions of each symbol, into `exclusions` */
  readonly symbolExclusions: (readonly number[])[] = [[]]
  /** the only step of each symbol, 0 = none; only valid while `simple` */
  readonly symbolStep = new Uint8Array(65_536)
  /** true if the funnel is ordered without match values and exclusions, and no event matches two steps */
  simple: boolean
  readonly #atoms = new AtomSet()
  readonly #known = new ValueTruths(this.#atoms.atoms)
  readonly #filters: Expression
  /** filters that each test a key that nothing else tests: they select devices before other columns are read */
  readonly #apart: readonly KeyFilter[]
  /** the other filters; `#keys` are the keys that they, the steps and the exclusions test */
  readonly #together: Expression
  readonly #keys: ReadonlySet<string>
  readonly #steps: readonly Expression[]
  readonly #symbols = new Map<string, number>()
  readonly #symbolsKnown = new WeakMap<Uint8Array, number>()

  /** Compiles a query; `windowMs` 0 is for queries that need no events after `to`. */
  constructor(request: FunnelRequest, windowMs = request.window_ms ?? WINDOW_MS_DEFAULT) {
    checkRequest(request)
    this.request = request
    this.steps = request.steps.length
    this.order = request.order ?? 'ordered'
    this.unit = request.count_by ?? 'person'
    this.windowMs = windowMs
    this.match = request.match ?? []
    this.from = request.from
    this.to = request.to
    this.end = request.to + this.windowMs
    const budget = new FilterBudget()
    const all = [...(request.filters ?? []), ...request.steps.flatMap((step) => step.filters)]
    const filters = withoutBots(parseFilters(request.filters ?? [], 'filters', budget), all).map((filter) =>
      this.#atoms.compile([filter]),
    )
    this.#steps = request.steps.map((step, i) =>
      this.#atoms.compile(parseFilters(step.filters, `steps[${i}].filters`, budget)),
    )
    this.exclusions = (request.exclude ?? []).map(({ filters, after, before }, i) => ({
      expression: this.#atoms.compile(parseFilters(filters, `exclude[${i}].filters`, budget)),
      after,
      before,
    }))
    this.#filters = { op: 'and', of: filters }
    const apart = this.unit === 'session' ? [] : this.#apartFrom(filters)
    this.#apart = apart.map((expression) => ({ expression, key: this.#atoms.keysOf(expression)[0]! }))
    this.#together = { op: 'and', of: filters.filter((filter) => !apart.includes(filter)) }
    this.#keys = new Set([this.#together, ...this.#matched()].flatMap((expression) => this.#atoms.keysOf(expression)))
    this.simple = this.order === 'ordered' && this.match.length === 0 && this.exclusions.length === 0
  }

  /** the keys that the query names */
  get keys(): readonly string[] {
    const { breakdown } = this.request
    return [...this.#atoms.keys, ...this.match, ...(breakdown === undefined ? [] : [breakdown])]
  }

  /**
   * Returns the columns of a chunk that the query reads. `tied` columns are needed only if the events of a unit are in
   * several spans or lanes, or if sessions are counted.
   */
  columns(summary: ChunkSummary): { readonly always: readonly string[]; readonly tied: readonly string[] } {
    const keys = [...this.keys, ...(this.unit === 'session' ? ['session_id'] : [])]
    const named = keys.flatMap((key) => columnsToRead(summary.columns, key))
    const always = new Set(['runs', 'timestamp', ...named, ...(this.request.people ? ['device_id'] : [])])
    return {
      always: [...always],
      tied: ['seq', 'position', 'index', 'user'].filter(
        (name) => !always.has(name) && Object.hasOwn(summary.columns, name),
      ),
    }
  }

  /** Returns whether a chunk can contain anything relevant to the query, according to its summary. */
  canMatch(summary: ChunkSummary): boolean {
    if (summary.max_time < this.from || summary.min_time >= this.end) return false
    if (this.unit === 'session') return true
    const outcomes = possibleOutcomes(summary, this.#atoms.atoms, this.#known)
    const can = (expression: Expression): boolean => (possible(expression, outcomes) & 1) === 1
    return (
      can(this.#filters) &&
      (this.order === 'strict' || this.#steps.some(can) || this.exclusions.some(({ expression }) => can(expression)))
    )
  }

  /** Maps the rows of a chunk to symbols; undefined when all rows are irrelevant. */
  symbols(chunk: Chunk, budget: Budget): Symbols | undefined {
    const passing = passingRuns(chunk, this.#apart, this.#known)
    if (!passing) return undefined
    const { codes, classes, truths } = classifyRows(chunk, this.#atoms.atoms, budget, this.#known, this.#keys)
    const symbols = Uint16Array.from(truths, (truth) => this.#symbolOfTruth(truth))
    // all events form sessions, including irrelevant ones
    if (this.unit !== 'session' && symbols.every((symbol) => symbol === 0)) return undefined
    const table = new Uint16Array(classes.length)
    for (let code = 0; code < table.length; code++) table[code] = symbols[classes[code]!]!
    const left = passing.refused ? withoutRows(codes, table, passing.refused) : { codes, table }
    return { ...left, steps: this.#stepsOf(left.table), runs: passing.runs }
  }

  #stepsOf(table: Uint16Array): Uint8Array {
    const steps = new Uint8Array(table.length)
    for (let code = 0; code < steps.length; code++) steps[code] = this.symbolStep[table[code]!]!
    return steps
  }

  /**
   * Returns the symbol of events that match these steps and exclusions; also used to translate the symbols of another
   * plan of the same query.
   */
  symbolOf(steps: readonly number[], exclusions: readonly number[]): number {
    const name = `${steps.join()}/${exclusions.join()}`
    let symbol = this.#symbols.get(name)
    if (symbol === undefined) {
      symbol = this.symbolSteps.length
      if (symbol > 65_535) throw over('steps', 'stepsMax')
      this.#symbols.set(name, symbol)
      this.symbolSteps.push(steps)
      this.symbolExclusions.push(exclusions)
      this.symbolStep[symbol] = steps[0] ?? 0
      if (steps.length > 1) this.simple = false
    }
    return symbol
  }

  #matched(): Expression[] {
    return [...this.#steps, ...this.exclusions.map(({ expression }) => expression)]
  }

  #apartFrom(filters: readonly Expression[]): Expression[] {
    const testedKeys = this.#matched().flatMap((expression) => this.#atoms.keysOf(expression))
    const more = filters.map((filter) => this.#atoms.keysOf(filter)).filter((keys) => keys.length !== 1)
    const taken = new Set([...testedKeys, ...more.flat()])
    return filters.filter((filter) => {
      const keys = this.#atoms.keysOf(filter)
      return keys.length === 1 && !taken.has(keys[0]!)
    })
  }

  /** Returns the symbol of truth values, cached by array: equal outcomes of a single key are the same instance. */
  #symbolOfTruth(truth: Uint8Array): number {
    let symbol = this.#symbolsKnown.get(truth)
    if (symbol === undefined) this.#symbolsKnown.set(truth, (symbol = this.#symbol(truth)))
    return symbol
  }

  #symbol(truth: Uint8Array): number {
    if (!holds(this.#together, truth)) return 0
    const steps = this.#steps.flatMap((step, i) => (holds(step, truth) ? [i + 1] : [])).reverse()
    const exclusions = this.exclusions.flatMap(({ expression }, i) => (holds(expression, truth) ? [i] : []))
    return steps.length + exclusions.length > 0 || this.order === 'strict' ? this.symbolOf(steps, exclusions) : 0
  }
}

/** Replaces the symbol of rows that are 1 in `refused` by 0. */
function withoutRows(
  codes: Codes,
  table: Uint16Array,
  refused: Uint8Array,
): { readonly codes: Codes; readonly table: Uint16Array } {
  const nothing = table.length
  const own =
    nothing > 65_535 ? Uint32Array.from(codes) : nothing > 255 ? Uint16Array.from(codes) : Uint8Array.from(codes)
  for (let row = 0; row < own.length; row++) if (refused[row] === 1) own[row] = nothing
  const longer = new Uint16Array(nothing + 1)
  longer.set(table)
  return { codes: own, table: longer }
}

function checkRequest({
  from,
  to,
  steps,
  window_ms: windowMs,
  match,
  exclude,
  breakdown,
  people,
}: FunnelRequest): void {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to)
    throw invalid('from', 'must be an instant before to')
  if (to - from > queryLimits.rangeMsMax) throw over('from', 'rangeMsMax')
  if (steps.length === 0) throw invalid('steps', 'must not be empty')
  if (steps.length > queryLimits.stepsMax) throw over('steps', 'stepsMax')
  if (windowMs !== undefined && !(Number.isSafeInteger(windowMs) && windowMs >= 1))
    throw invalid('window_ms', 'must be a whole number above 0')
  if (windowMs !== undefined && windowMs > queryLimits.windowMsMax) throw over('window_ms', 'windowMsMax')
  if ((match?.length ?? 0) > queryLimits.matchKeysMax) throw over('match', 'matchKeysMax')
  match?.forEach((key, i) => parseKey(key, `match[${i}]`))
  if ((exclude?.length ?? 0) > queryLimits.excludesMax) throw over('exclude', 'excludesMax')
  exclude?.forEach(({ after, before }, i) => {
    if (!(after >= 1 && after < before && before <= steps.length))
      throw invalid(`exclude[${i}]`, 'must come after a step and before a later one')
  })
  if (breakdown !== undefined) parseKey(breakdown, 'breakdown')
  if (people && !(people.step >= 1 && people.step <= steps.length))
    throw invalid('people.step', 'must be one of the steps')
  if (people && people.limit > queryLimits.peopleMax) throw over('people.limit', 'peopleMax')
}
