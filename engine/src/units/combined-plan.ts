import type { ChunkSummary, FunnelUnit } from '@hopper/contracts'
import type { Atom } from '../filter/compile-filters.ts'
import { ValueTruths } from '../filter/value-truths.ts'
import type { FunnelPlan } from '../funnel/plan/funnel-plan.ts'

/** Several plans of the same units as one, whose scans are joined by the units' names. */
export class CombinedPlan {
  readonly #plans: readonly FunnelPlan[]
  readonly #known: readonly ValueTruths[]

  /** Takes at least one plan; all have the same unit. */
  constructor(plans: readonly FunnelPlan[]) {
    this.#plans = plans
    this.#known = plans.map(({ atoms }) => new ValueTruths(atoms))
  }

  get unit(): FunnelUnit {
    return this.#plans[0]!.unit
  }

  get from(): number {
    return Math.min(...this.#plans.map(({ from }) => from))
  }

  /** exclusive end of the events to read */
  get end(): number {
    return Math.max(...this.#plans.map(({ end }) => end))
  }

  get atoms(): readonly Atom[] {
    return this.#plans.flatMap(({ atoms }) => atoms)
  }

  /** the keys that the query names */
  get named(): readonly string[] {
    return this.#plans.flatMap(({ named }) => named)
  }

  /** @see FunnelPlan.columns */
  columns(summary: ChunkSummary): { readonly always: readonly string[]; readonly tied: readonly string[] } {
    const all = this.#plans.map((plan) => plan.columns(summary))
    // units are distinguished by their names
    const always = new Set(['device_id', ...all.flatMap((columns) => columns.always)])
    const tied = new Set(all.flatMap((columns) => columns.tied))
    return { always: [...always], tied: [...tied].filter((name) => !always.has(name)) }
  }

  /** @see FunnelPlan.canMatch */
  canMatch(summary: ChunkSummary): boolean {
    return this.#plans.some((plan, i) => plan.canMatch(summary, this.#known[i]!))
  }
}
