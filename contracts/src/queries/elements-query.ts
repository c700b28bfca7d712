import { Type, type Static } from 'typebox'
import { Meta } from './answers.ts'
import type { Filter } from './filter.ts'
import { FunnelQuery, type FunnelRequest, type FunnelUnit, type TrendStep } from './funnel-query.ts'
import { Hesitation, HesitationQuery } from './hesitation-query.ts'

/** The body of `POST elements/query`. */
export const ElementsQuery = Type.Object({
  ...Type.Omit(HesitationQuery, ['element', 'step', 'pointer']).properties,
  trend: FunnelQuery.properties.trend,
})

/** A query about all elements, with times in ms; `from` is inclusive, `to` exclusive. */
export interface ElementsRequest {
  readonly from: number
  readonly to: number
  /** filters for hovers by mouse, whether the element was clicked or left */
  readonly hovers: readonly Filter[]
  /** filters for taps */
  readonly taps: readonly Filter[]
  /** past XPaths of elements, each with the one that the element has now, for which its events count */
  readonly linked?: readonly (readonly [past: string, current: string])[]
  readonly filters?: readonly Filter[]
  readonly count_by?: FunnelUnit
  readonly steps?: FunnelRequest['steps']
  readonly trend?: TrendStep
}

/** Hovers by mouse of some people over one element. */
export const ElementHovers = Type.Omit(Hesitation, ['correlation', 'histogram'])
export type ElementHovers = Static<typeof ElementHovers>

const count = Type.Integer({ minimum: 0 })
const counts = Type.Array(count)

export const ElementRow = Type.Object({
  xpath: Type.String(),
  ...ElementHovers.properties,
  taps: Type.Integer({ minimum: 0, description: 'clicks by touch, which are not hovers' }),
  tapped_by: Type.Integer({ minimum: 0, description: 'people, devices or sessions that tapped' }),
  went_on: Type.Optional(ElementHovers),
  lost: Type.Optional(ElementHovers),
  trend: Type.Optional(
    Type.Object({ hovers: counts, clicked: counts }, { description: 'by mouse, for each of `times`' }),
  ),
})
export type ElementRow = Static<typeof ElementRow>

/** The result that the engine returns; the API adds `meta`. */
export const ElementsResult = Type.Object({
  rows: Type.Array(ElementRow, {
    description: 'the elements that were hovered over or tapped, those of most hovers and taps first',
  }),
  times: Type.Optional(Type.Array(Type.Integer(), { description: 'the instants at which the days or weeks begin' })),
})
export type ElementsResult = Static<typeof ElementsResult>

/** The response of `POST elements/query`. */
export const ElementsAnswer = Type.Object({ ...ElementsResult.properties, meta: Meta })
export type ElementsAnswer = Static<typeof ElementsAnswer>
export type ElementsQuery = Omit<Static<typeof ElementsQuery>, 'filters'> & Pick<ElementsRequest, 'filters'>
