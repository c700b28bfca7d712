import type { ChunkSummary } from '@hopper/contracts'
import type { Chunk } from '../../chunk/chunk.ts'
import type { Codes } from '../../chunk/encoding/codes.ts'
import { classifyRows } from '../../filter/classify-rows.ts'
import { over } from '../../filter/parse-filters.ts'
import { passingRuns } from '../../filter/run-filter.ts'
import { ValueTruths } from '../../filter/value-truths.ts'
import type { Budget } from '../../scan/budget.ts'
import type { FunnelPlan, Meaning } from '../plan/funnel-plan.ts'

/** Rows of a chunk by their meaning for the query: row i has the symbol `table[codes[i]]`; 0 = irrelevant. */
export interface Symbols {
  readonly codes: Codes
  readonly table: Uint16Array
  /** the step of each code, 0 = none; only valid while the scan is simple */
  readonly steps: Uint8Array
  /** by run: 0 = excluded by the filters, so that its rows are irrelevant; undefined when no run is excluded */
  readonly runs: Uint8Array | undefined
}

/**
 * The state of a scan that runs a plan: each row is mapped to a symbol, the set of steps and exclusions that its event
 * matches. The kernel sees only the symbol, the time and the match values of an event. Symbols are numbered by first
 * occurrence; 0 is the irrelevant event.
 */
export class PlanState {
  /** steps of each symbol, numbered from 1, the highest first */
  readonly symbolSteps: readonly (readonly number[])[]
  /** exclusions of each symbol, as indexes into those of the plan */
  readonly symbolExclusions: readonly (readonly number[])[]
  /** the only step of each symbol, 0 = none; only valid while the scan is simple */
  readonly symbolStep = new Uint8Array(65_536)
  readonly #plan: FunnelPlan
  readonly #known: ValueTruths
  readonly #steps: (readonly number[])[] = [[]]
  readonly #exclusions: (readonly number[])[] = [[]]
  readonly #symbols = new Map<string, number>()
  readonly #symbolsKnown = new WeakMap<Uint8Array, number>()
  #isSimple: boolean

  constructor(plan: FunnelPlan) {
    this.#plan = plan
    this.#known = new ValueTruths(plan.atoms)
    this.#isSimple = plan.isPlain
    this.symbolSteps = this.#steps
    this.symbolExclusions = this.#exclusions
  }

  /** True if the plan is plain and no event so far matches two steps. */
  get isSimple(): boolean {
    return this.#isSimple
  }

  /** @see FunnelPlan.canMatch */
  canMatch(summary: ChunkSummary): boolean {
    return this.#plan.canMatch(summary, this.#known)
  }

  /** Maps the rows of a chunk to symbols; undefined when all rows are irrelevant. */
  symbols(chunk: Chunk, budget: Budget): Symbols | undefined {
    const { apart, atoms, keys, unit } = this.#plan
    const passing = passingRuns(chunk, apart, this.#known)
    if (!passing) return undefined
    const { codes, classes, truths } = classifyRows(chunk, atoms, budget, this.#known, keys)
    const symbols = Uint16Array.from(truths, (truth) => this.#symbolOfTruth(truth))
    // all events form sessions, including irrelevant ones
    if (unit !== 'session' && symbols.every((symbol) => symbol === 0)) return undefined
    const table = new Uint16Array(classes.length)
    for (let code = 0; code < table.length; code++) table[code] = symbols[classes[code]!]!
    const left = passing.refused ? withoutRows(codes, table, passing.refused) : { codes, table }
    return { ...left, steps: this.#stepsOf(left.table), runs: passing.runs }
  }

  /**
   * Returns the symbol of events with a meaning; also used to translate the symbols of another scan of the same query.
   */
  symbolOf({ steps, exclusions }: Meaning): number {
    const name = `${steps.join()}/${exclusions.join()}`
    let symbol = this.#symbols.get(name)
    if (symbol === undefined) {
      symbol = this.#steps.length
      if (symbol > 65_535) throw over('steps', 'stepsMax')
      this.#symbols.set(name, symbol)
      this.#steps.push(steps)
      this.#exclusions.push(exclusions)
      this.symbolStep[symbol] = steps[0] ?? 0
      if (steps.length > 1) this.#isSimple = false
    }
    return symbol
  }

  #stepsOf(table: Uint16Array): Uint8Array {
    const steps = new Uint8Array(table.length)
    for (let code = 0; code < steps.length; code++) steps[code] = this.symbolStep[table[code]!]!
    return steps
  }

  /** Returns the symbol of truth values, cached by array: equal outcomes of a single key are the same instance. */
  #symbolOfTruth(truth: Uint8Array): number {
    let symbol = this.#symbolsKnown.get(truth)
    if (symbol === undefined) {
      const meaning = this.#plan.meaningOf(truth)
      symbol = meaning ? this.symbolOf(meaning) : 0
      this.#symbolsKnown.set(truth, symbol)
    }
    return symbol
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
