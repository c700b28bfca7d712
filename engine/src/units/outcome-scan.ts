import type { DropCause, StepOutcome, Value } from '@hopper/contracts'
import { invalid } from '../filter/parse-filters.ts'
import { Attempt } from '../funnel/attempt.ts'
import { FurthestAttempt } from '../funnel/furthest-attempt.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import type { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'

/** The steps that a unit took in a funnel. Only valid during the call that receives it. */
export interface Outcome {
  /** steps taken, at least 1 */
  readonly level: number
  /** why it took no further step; undefined if it took all */
  readonly cause: DropCause | undefined
  /** Returns the name of the unit. */
  readonly who: () => string
  /** Returns when it took a step, in ms; `step` is from 1 to `level`. */
  readonly takenAt: (step: number) => number
  /** Returns the breakdown value of the event that took the first step. */
  readonly first: () => Value | null
}

/** Returns whether a unit with this outcome is one of those asked for. */
export function isSelected(
  { level, cause }: Pick<Outcome, 'level' | 'cause'>,
  { step, outcome }: { readonly step: number; readonly outcome: StepOutcome },
): boolean {
  if (outcome === 'reached') return level >= step
  return level === step - 1 && (outcome === 'dropped' || outcome === cause)
}

/** @throws HopperError HOP_PARAM_INVALID if nobody can have this outcome of the step */
export function assertValidSelection(step: number, outcome: StepOutcome, steps: number): void {
  if (!(Number.isInteger(step) && step >= 1 && step <= steps)) throw invalid('step', 'must be one of the steps')
  if (step === 1 && outcome !== 'reached') throw invalid('step', 'has no step before it that people could take')
}

/**
 * Returns whether a unit went on at a step (without one: through the whole funnel) or was lost there. Undefined if it
 * never came to the step, or may still take it.
 */
export function sideOf(
  { level, cause }: Pick<Outcome, 'level' | 'cause'>,
  step: number | undefined,
  steps: number,
): 'went_on' | 'lost' | undefined {
  if (level >= (step ?? steps)) return 'went_on'
  if (cause === 'open' || (step !== undefined && level < step - 1)) return undefined
  return 'lost'
}

/** Determines how far each unit went in a funnel, and why no further. */
export class OutcomeScan extends UnitScan {
  readonly #completeTo: number
  readonly #found: (outcome: Outcome) => void
  readonly #attempt: Attempt
  readonly #furthest: FurthestAttempt

  constructor(plan: FunnelPlan, { completeTo }: QueryContext, budget: Budget, found: (outcome: Outcome) => void) {
    super(plan, budget)
    this.#completeTo = completeTo
    this.#found = found
    this.#attempt = new Attempt(plan, this.state)
    this.#furthest = new FurthestAttempt(plan, this.state, this.#attempt, budget)
  }

  finish(): void {
    this.finishShared()
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    this.#furthest.search(rows, begin, end)
    const { level, start } = this.#furthest
    if (level === 0) return
    this.#attempt.walk(rows, start, end)
    const { taken } = this.#attempt
    this.#found({
      level,
      cause: level < this.plan.steps ? this.#attempt.cause(rows, begin, end, this.#completeTo) : undefined,
      who,
      takenAt: (step) => rows.time[taken[step - 1]!]!,
      first: () => this.groups.values[rows.group[start]!] ?? null,
    })
  }
}
