import {
  queryLimits,
  type ChunkSummary,
  type FunnelOrder,
  type FunnelRequest,
  type FunnelUnit,
} from '@hopper/contracts'
import { possibleOutcomes } from '../../filter/classify-rows.ts'
import { AtomSet, holds, keysOfAtoms, possible, type Atom, type Expression } from '../../filter/compile-filters.ts'
import { columnsToRead } from '../../filter/key-column.ts'
import type { KeyFilter } from '../../filter/run-filter.ts'
import type { ValueTruths } from '../../filter/value-truths.ts'
import { FilterBudget, invalid, over, parseFilters, parseKey } from '../../filter/parse-filters.ts'
import { withoutBots } from '../../filter/without-bots.ts'

export const WINDOW_MS_DEFAULT = 7 * 86_400_000

interface Exclusion {
  readonly expression: Expression
  readonly after: number
  readonly before: number
}

/** The role of an event in a query: the steps that it matches, from 1, the highest first, and exclusions by index. */
export interface Meaning {
  readonly steps: readonly number[]
  readonly exclusions: readonly number[]
}

/** A compiled funnel query. It never changes, so scans can share it; the state of a scan is in its `PlanState`. */
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
  /** true if the funnel is ordered without match values and exclusions */
  readonly isPlain: boolean
  /** the tests of all filters */
  readonly atoms: readonly Atom[]
  /** filters that each test a key that nothing else tests: they select devices before other columns are read */
  readonly apart: readonly KeyFilter[]
  /** keys that the other filters, the steps and the exclusions test */
  readonly keys: ReadonlySet<string>
  readonly #filters: Expression
  /** the filters that are not `apart` */
  readonly #together: Expression
  readonly #steps: readonly Expression[]

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
    const atoms = new AtomSet()
    const { filters, steps, exclusions } = compile(request, atoms)
    this.atoms = atoms.atoms
    this.#steps = steps
    this.exclusions = exclusions
    this.#filters = { op: 'and', operands: filters }
    const matched = [...steps, ...exclusions.map(({ expression }) => expression)]
    const apart = this.unit === 'session' ? [] : filtersApart(filters, matched, atoms)
    this.apart = apart.map((expression) => ({ expression, key: atoms.keysOf(expression)[0]! }))
    this.#together = { op: 'and', operands: filters.filter((filter) => !apart.includes(filter)) }
    this.keys = new Set([this.#together, ...matched].flatMap((expression) => atoms.keysOf(expression)))
    this.isPlain = this.order === 'ordered' && this.match.length === 0 && exclusions.length === 0
  }

  /** the keys that the query names */
  get named(): readonly string[] {
    const { breakdown } = this.request
    return [...keysOfAtoms(this.atoms), ...this.match, ...(breakdown === undefined ? [] : [breakdown])]
  }

  /**
   * Returns the columns of a chunk that the query reads. `tied` columns are needed only if the events of a unit are in
   * several spans or lanes, or if sessions are counted.
   */
  columns(summary: ChunkSummary): { readonly always: readonly string[]; readonly tied: readonly string[] } {
    const keys = [...this.named, ...(this.unit === 'session' ? ['session_id'] : [])]
    const named = keys.flatMap((key) => columnsToRead(summary.columns, key))
    const always = new Set(['runs', 'timestamp', ...named, ...(this.request.people ? ['device_id'] : [])])
    return {
      always: [...always],
      tied: ['seq', 'position', 'index', 'user'].filter(
        (name) => !always.has(name) && Object.hasOwn(summary.columns, name),
      ),
    }
  }

  /**
   * Returns whether a chunk can contain anything relevant to the query, according to its summary. Pass the same `known`
   * for all chunks, so that each value is tested only once.
   */
  canMatch(summary: ChunkSummary, known: ValueTruths): boolean {
    if (summary.max_time < this.from || summary.min_time >= this.end) return false
    if (this.unit === 'session') return true
    const outcomes = possibleOutcomes(summary, this.atoms, known)
    const can = (expression: Expression): boolean => (possible(expression, outcomes) & 1) === 1
    return (
      can(this.#filters) &&
      (this.order === 'strict' || this.#steps.some(can) || this.exclusions.some(({ expression }) => can(expression)))
    )
  }

  /** Returns the role of an event in the query by the truth values of its atoms; undefined if it is irrelevant. */
  meaningOf(truth: Uint8Array): Meaning | undefined {
    if (!holds(this.#together, truth)) return undefined
    const steps = this.#steps.flatMap((step, i) => (holds(step, truth) ? [i + 1] : [])).reverse()
    const exclusions = this.exclusions.flatMap(({ expression }, i) => (holds(expression, truth) ? [i] : []))
    return steps.length + exclusions.length > 0 || this.order === 'strict' ? { steps, exclusions } : undefined
  }
}

function compile(
  request: FunnelRequest,
  atoms: AtomSet,
): { readonly filters: Expression[]; readonly steps: Expression[]; readonly exclusions: Exclusion[] } {
  const budget = new FilterBudget()
  const all = [...(request.filters ?? []), ...request.steps.flatMap((step) => step.filters)]
  const filters = withoutBots(parseFilters(request.filters ?? [], 'filters', budget), all)
  return {
    filters: filters.map((filter) => atoms.compile([filter])),
    steps: request.steps.map((step, i) => atoms.compile(parseFilters(step.filters, `steps[${i}].filters`, budget))),
    exclusions: (request.exclude ?? []).map(({ filters, after, before }, i) => ({
      expression: atoms.compile(parseFilters(filters, `exclude[${i}].filters`, budget)),
      after,
      before,
    })),
  }
}

/** Selects the filters that each test a single key that neither another filter nor `matched` tests. */
function filtersApart(filters: readonly Expression[], matched: readonly Expression[], atoms: AtomSet): Expression[] {
  const testedKeys = matched.flatMap((expression) => atoms.keysOf(expression))
  const more = filters.map((filter) => atoms.keysOf(filter)).filter((keys) => keys.length !== 1)
  const taken = new Set([...testedKeys, ...more.flat()])
  return filters.filter((filter) => {
    const keys = atoms.keysOf(filter)
    return keys.length === 1 && !taken.has(keys[0]!)
  })
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
