import { Type, type Static } from 'typebox'
import { Meta } from './answers.ts'
import { FiltersSchema, KeySchema, type Filter } from './filter.ts'
import { limits } from '../limits.ts'
import { queryLimits } from './query-limits.ts'

const instant = Type.Union([Type.Integer(), Type.String({ maxLength: 40 })], {
  description: 'ms since the epoch, ISO 8601, or a date of the app',
})
const stepNumber = Type.Integer({ minimum: 1, maximum: queryLimits.stepsMax })

/**
 * Reasons for which a unit that took a step did not take the next. Exactly one applies; it is determined for the unit's
 * furthest attempt (the first one among equals). The engine considers events from `from` up to `to` plus the window and
 * reports the first cause that holds:
 * - `excluded`: an event ended the attempt: one of `exclude`, or in strict order any other event in between (`mismatch`
 *   when that one was the right event with a different match value). An ended attempt is never open.
 * - `open`: the window had not expired at the time up to which all events are known.
 * - `late`: the right event, with equal match values, came after the window.
 * - `mismatch`: the right event came inside the window with other match values.
 * - `before`: the right event, with equal match values, came only before the step taken last.
 * - `never`: none of these.
 *
 * In `any` order the right event is one of any step not yet taken, and an event takes the lowest-numbered such step. A
 * missing match value equals nothing. `match` applies to the events of `exclude` too.
 */
export const dropCauses = ['open', 'excluded', 'late', 'mismatch', 'before', 'never'] as const
export type DropCause = (typeof dropCauses)[number]

export const funnelOrders = ['ordered', 'strict', 'any'] as const
export type FunnelOrder = (typeof funnelOrders)[number]
export const funnelUnits = ['person', 'device', 'session'] as const
export type FunnelUnit = (typeof funnelUnits)[number]
export type TrendStep = 'day' | 'week'

/** The body of `POST funnels/query`. */
export const FunnelQuery = Type.Object({
  from: instant,
  to: instant,
  steps: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.String({ minLength: 1, maxLength: limits.nameCharsMax }), filters: FiltersSchema }),
      {
        minItems: 1,
        maxItems: queryLimits.stepsMax,
      },
    ),
  ),
  funnel: Type.Optional(Type.String({ maxLength: 64, description: 'a configured funnel, instead of steps' })),
  order: Type.Optional(Type.Enum([...funnelOrders])),
  window_ms: Type.Optional(
    Type.Integer({ minimum: 1, maximum: queryLimits.windowMsMax, description: 'default: 7 days' }),
  ),
  match: Type.Optional(Type.Array(KeySchema, { maxItems: queryLimits.matchKeysMax })),
  exclude: Type.Optional(
    Type.Array(Type.Object({ filters: FiltersSchema, after: stepNumber, before: stepNumber }), {
      maxItems: queryLimits.excludesMax,
    }),
  ),
  filters: Type.Optional(FiltersSchema),
  breakdown: Type.Optional(KeySchema),
  count_by: Type.Optional(Type.Enum([...funnelUnits])),
  trend: Type.Optional(Type.Enum(['day', 'week'])),
  people: Type.Optional(
    Type.Object({
      step: stepNumber,
      outcome: Type.Enum(['reached', 'dropped', ...dropCauses], {
        description:
          'those who took the step; those who took the one before it but not it; of these, those with one cause',
      }),
      limit: Type.Integer({ minimum: 1, maximum: queryLimits.peopleMax }),
    }),
  ),
})

/**
 * A normalized funnel query with times in ms and explicit steps, as run by the engine. `from` is inclusive, `to`
 * exclusive.
 */
export interface FunnelRequest {
  readonly from: number
  readonly to: number
  readonly steps: readonly { readonly name: string; readonly filters: readonly Filter[] }[]
  readonly order?: FunnelOrder
  readonly window_ms?: number
  readonly match?: readonly string[]
  readonly exclude?: readonly { readonly filters: readonly Filter[]; readonly after: number; readonly before: number }[]
  readonly filters?: readonly Filter[]
  readonly breakdown?: string
  readonly count_by?: FunnelUnit
  readonly trend?: TrendStep
  readonly people?: {
    readonly step: number
    readonly outcome: 'reached' | 'dropped' | DropCause
    readonly limit: number
  }
}

const maybe = Type.Union([Type.Number(), Type.Null()])
/** A share; null if the denominator is 0. */
const rate = maybe
const count = Type.Integer({ minimum: 0 })
export const ConversionTime = Type.Object({
  median_ms: maybe,
  average_ms: maybe,
  p90_ms: maybe,
  histogram: Type.Array(Type.Object({ from_ms: Type.Integer(), to_ms: Type.Integer(), count })),
})
export type ConversionTime = Static<typeof ConversionTime>

export const FunnelStepAnswer = Type.Object({
  name: Type.String(),
  count,
  rate: Type.Union([Type.Number(), Type.Null()], { description: 'of all units that started; null when none did' }),
  rate_from_previous: rate,
  dropped: Type.Integer({ description: 'units that took the step before, but not this one' }),
  causes: Type.Object({ open: count, excluded: count, late: count, mismatch: count, before: count, never: count }),
  time: ConversionTime,
})
export type FunnelStepAnswer = Static<typeof FunnelStepAnswer>

const steps = Type.Array(FunnelStepAnswer)

/** The result that the engine returns; the API adds `meta`. */
export const FunnelResult = Type.Object({
  total: Type.Integer({ description: 'units that took the first step' }),
  steps,
  overall: Type.Object({ rate, time: ConversionTime }),
  breakdown: Type.Optional(
    Type.Array(
      Type.Object({
        value: Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
        total: count,
        steps,
        other: Type.Optional(
          Type.Boolean({
            description: 'true for the row of all values that have none of their own; `meta.truncated` says so too',
          }),
        ),
      }),
      {
        description:
          `the ${queryLimits.breakdownValuesMax} values of most units, the largest first, ` + 'then the others as one',
      },
    ),
  ),
  trend: Type.Optional(
    Type.Array(
      Type.Object({
        time: Type.Integer({ description: 'the instant at which the day or week begins' }),
        total: count,
        steps: Type.Array(Type.Object({ name: Type.String(), count, rate })),
        settled: Type.Boolean({ description: 'false while a conversion window is still running' }),
      }),
    ),
  ),
  people: Type.Optional(Type.Array(Type.String())),
})
export type FunnelResult = Static<typeof FunnelResult>

/** The response of `POST funnels/query`. */
export const FunnelAnswer = Type.Object({ ...FunnelResult.properties, meta: Meta })
export type FunnelAnswer = Static<typeof FunnelAnswer>
export type FunnelQuery = Omit<Static<typeof FunnelQuery>, 'steps' | 'filters' | 'exclude'> &
  Partial<Pick<FunnelRequest, 'steps' | 'filters' | 'exclude'>>
