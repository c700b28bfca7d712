import { Type, type Static } from 'typebox'
import { limits } from '../limits.ts'
import { Meta } from './answers.ts'
import { FiltersSchema, type Filter } from './filter.ts'
import { FunnelQuery, funnelUnits, type FunnelRequest, type FunnelUnit } from './funnel-query.ts'
import { queryLimits } from './query-limits.ts'

export const pointers = ['mouse', 'touch', 'pen'] as const
export type PointerType = (typeof pointers)[number]

/** The body of `POST hesitation/query`. */
export const HesitationQuery = Type.Object({
  from: FunnelQuery.properties.from,
  to: FunnelQuery.properties.to,
  element: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.xpathCharsMax,
      description: 'XPath; default: all elements together',
    }),
  ),
  funnel: Type.Optional(
    Type.String({ maxLength: 64, description: 'compares those who went on in this funnel with those lost in it' }),
  ),
  step: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: queryLimits.stepsMax,
      description:
        'of the funnel: those who took it against those who took only the one before; ' +
        'default: those who took all steps against those who did not',
    }),
  ),
  pointer: Type.Optional(
    Type.Enum([...pointers], { description: 'default: mouse; a finger is on an element only to press it' }),
  ),
  filters: Type.Optional(FiltersSchema),
  count_by: Type.Optional(Type.Enum([...funnelUnits])),
})

/** A query about hesitation with times in ms; `from` is inclusive, `to` exclusive. */
export interface HesitationRequest {
  readonly from: number
  readonly to: number
  /** what a hover is, whether the element was clicked or left */
  readonly hovers: readonly Filter[]
  readonly filters?: readonly Filter[]
  readonly count_by?: FunnelUnit
  readonly steps?: FunnelRequest['steps']
  readonly step?: number
}

const count = Type.Integer({ minimum: 0 })
const maybe = Type.Union([Type.Number(), Type.Null()])

/** Hovers of some people: `median_…_ms` and `histogram` are durations until the element was clicked or left. */
export const Hesitation = Type.Object({
  people: Type.Integer({ minimum: 0, description: 'people, devices or sessions that hovered' }),
  hovers: count,
  clicked: count,
  clicked_share: maybe,
  median_click_ms: maybe,
  median_leave_ms: maybe,
  correlation: Type.Union([Type.Number(), Type.Null()], {
    description: 'point-biserial, of the logarithm of the duration with click = 1',
  }),
  histogram: Type.Array(Type.Object({ from_ms: Type.Integer(), to_ms: Type.Integer(), leave: count, click: count }), {
    description: 'log-scaled, from the shortest to the longest duration, without gaps',
  }),
})
export type Hesitation = Static<typeof Hesitation>

/** The result that the engine returns; the API adds `meta`. */
export const HesitationResult = Type.Object({
  ...Hesitation.properties,
  went_on: Type.Optional(Hesitation),
  lost: Type.Optional(
    Type.Object(Hesitation.properties, {
      description: 'without those whose window has not ended: they may still go on',
    }),
  ),
})
export type HesitationResult = Static<typeof HesitationResult>

export const HesitationAnswer = Type.Object({ ...HesitationResult.properties, meta: Meta })
export type HesitationAnswer = Static<typeof HesitationAnswer>
export type HesitationQuery = Omit<Static<typeof HesitationQuery>, 'filters'> & Pick<HesitationRequest, 'filters'>
