import { queryLimits, type ChunkSummary, type FunnelOrder, type FunnelRequest, type FunnelUnit } from '@hopper/contracts'
import type { Chunk, Codes } from '../chunk/chunk.ts'
import { classifyRows, possibleOutcomes } from '../filter/classify-rows.ts'
import { AtomSet, holds, possible, type Expression } from '../filter/compile-filters.ts'
import { columnsToRead } from '../filter/key-column.ts'
import { FilterBudget, invalid, over, parseFilters, parseKey } from '../filter/parse-filters.ts'
import type { Budget } from '../scan/budget.ts'
import { withoutBots } from '../filter/without-bots.ts'

export const WINDOW_MS_DEFAULT = 7 * 86_400_000

/** Rows of a chunk by what they mean to the query: row i has the symbol `table[codes[i]]`; 0 = nothing. */
export interface Symbols {
  readonly codes: Codes
  readonly table: Uint16Array
}

interface Exclusion {
  readonly expression: Expression
  readonly after: number
  readonly before: number
}

/**
 * A funnel query made ready. Each row becomes a symbol: the set of steps and exclusions that its event matches; what the kernel sees of
 * an event is its symbol, its time and the values to compare. Symbols are numbered as they are met.
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
  /** events before this are looked at: `to` and the window */
  readonly end: number
  /** steps of each symbol, the highest first, counted from 1 */
  readonly symbolSteps: (readonly number[])[] = [[]]
  /** exclusions of each symbol, into `exclusions` */
  readonly symbolExclusions: (readonly number[])[] = [[]]
  /** the one step of each symbol, 0 = none; only of use while `simple` */
  readonly symbolStep = new Uint8Array(65_536)
  /** ordered, nothing to compare, nothing excluded, no event matches two steps */
  simple: boolean
  readonly #atoms = new AtomSet()
  readonly #filters: Expression
  readonly #steps: readonly Expression[]
  readonly #symbols = new Map<string, number>()

  /** `windowMs` 0 is for queries that look at no event after `to`. */
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
    this.#filters = this.#atoms.compile(withoutBots(parseFilters(request.filters ?? [], 'filters', budget), all))
    this.#steps = request.steps.map((step, i) => this.#atoms.compile(parseFilters(step.filters, `steps/${i}/filters`, budget)))
    this.exclusions = (request.exclude ?? []).map(({ filters, after, before }, i) => ({
      expression: this.#atoms.compile(parseFilters(filters, `exclude/${i}/filters`, budget)), after, before,
    }))
    this.simple = this.order === 'ordered' && this.match.length === 0 && this.exclusions.length === 0
  }

  /** The columns that the query reads of a chunk. `tied` are needed only where several spans or lanes hold a unit's events, or sessions are counted. */
  columns(summary: ChunkSummary): { readonly always: readonly string[]; readonly tied: readonly string[] } {
    const { breakdown, people } = this.request
    const keys = [...this.#atoms.keys, ...this.match, ...(breakdown === undefined ? [] : [breakdown]), ...(this.unit === 'session' ? ['session_id'] : [])]
    const named = keys.flatMap((key) => columnsToRead(summary.columns, key))
    const always = new Set(['runs', 'timestamp', ...named, ...(people ? ['device_id'] : [])])
    return { always: [...always], tied: ['seq', 'position', 'index', 'user'].filter((name) => !always.has(name) && Object.hasOwn(summary.columns, name)) }
  }

  /** Whether a chunk can hold anything that the query looks at, told from its summary. */
  mayMatter(summary: ChunkSummary): boolean {
    if (summary.max_time < this.from || summary.min_time >= this.end) return false
    if (this.unit === 'session') return true
    const outcomes = possibleOutcomes(summary, this.#atoms.atoms)
    const can = (expression: Expression): boolean => (possible(expression, outcomes) & 1) === 1
    return can(this.#filters) && (this.order === 'strict' || this.#steps.some(can) || this.exclusions.some(({ expression }) => can(expression)))
  }

  symbols(chunk: Chunk, budget: Budget): Symbols {
    const { codes, classes, truths } = classifyRows(chunk, this.#atoms.atoms, budget)
    const symbols = truths.map((truth) => this.#symbol(truth))
    return { codes, table: Uint16Array.from(classes, (c) => symbols[c]!) }
  }

  /** The symbol of events that match these steps and exclusions; also used to translate the symbols of another plan of the same query. */
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

  #symbol(truth: Uint8Array): number {
    if (!holds(this.#filters, truth)) return 0
    const steps = this.#steps.flatMap((step, i) => (holds(step, truth) ? [i + 1] : [])).reverse()
    const exclusions = this.exclusions.flatMap(({ expression }, i) => (holds(expression, truth) ? [i] : []))
    return steps.length + exclusions.length > 0 || this.order === 'strict' ? this.symbolOf(steps, exclusions) : 0
  }
}

function checkRequest({ from, to, steps, window_ms: windowMs, match, exclude, breakdown, people }: FunnelRequest): void {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to) throw invalid('from', 'must be an instant before to')
  if (to - from > queryLimits.rangeMsMax) throw over('from', 'rangeMsMax')
  if (steps.length === 0) throw invalid('steps', 'must not be empty')
  if (steps.length > queryLimits.stepsMax) throw over('steps', 'stepsMax')
  if (windowMs !== undefined && !(Number.isSafeInteger(windowMs) && windowMs >= 1)) throw invalid('window_ms', 'must be a whole number above 0')
  if (windowMs !== undefined && windowMs > queryLimits.windowMsMax) throw over('window_ms', 'windowMsMax')
  if ((match?.length ?? 0) > queryLimits.matchKeysMax) throw over('match', 'matchKeysMax')
  match?.forEach((key, i) => parseKey(key, `match/${i}`))
  if ((exclude?.length ?? 0) > queryLimits.excludesMax) throw over('exclude', 'excludesMax')
  exclude?.forEach(({ after, before }, i) => {
    if (!(after >= 1 && after < before && before <= steps.length)) throw invalid(`exclude/${i}`, 'must come after a step and before a later one')
  })
  if (breakdown !== undefined) parseKey(breakdown, 'breakdown')
  if (people && !(people.step >= 1 && people.step <= steps.length)) throw invalid('people/step', 'must be one of the steps')
  if (people && people.limit > queryLimits.peopleMax) throw over('people/limit', 'peopleMax')
}
