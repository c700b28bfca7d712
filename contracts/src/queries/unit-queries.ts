import { Type, type Static } from 'typebox'
import { FiltersSchema, KeySchema, type Filter } from './filter.ts'
import { type FunnelUnit, type TrendStep } from './funnel-query.ts'
import { limits } from '../limits.ts'
import { queryLimits } from './query-limits.ts'

const instant = Type.Union([Type.Integer(), Type.String({ maxLength: 40 })])
const unit = Type.Optional(Type.Enum(['person', 'device', 'session']))
const count = Type.Integer({ minimum: 0 })
const value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** The body of `POST retention/query`. */
export const RetentionQuery = Type.Object({
  from: instant,
  to: instant,
  first: FiltersSchema,
  again: FiltersSchema,
  by: Type.Enum(['day', 'week']),
  count_by: unit,
})

/** A retention query with times in ms; `from` is inclusive, `to` exclusive. */
export interface RetentionRequest {
  readonly from: number
  readonly to: number
  readonly first: readonly Filter[]
  readonly again: readonly Filter[]
  readonly by: TrendStep
  readonly count_by?: FunnelUnit
}

export const RetentionResult = Type.Object({
  cohorts: Type.Array(
    Type.Object({
      time: Type.Integer({
        description: 'the day or week of a unit is that of its earliest event that matches `first`',
      }),
      size: count,
      again: Type.Array(count, {
        description: 'those of the cohort with a later event that matches `again`: in the same day or week, the next…',
      }),
    }),
  ),
})
export type RetentionResult = Static<typeof RetentionResult>

/** Counts distinct persons, devices or sessions with a matching event, over any range. */
export interface DistinctRequest {
  readonly from: number
  readonly to: number
  readonly filters: readonly Filter[]
  readonly breakdown?: string
  readonly count_by?: FunnelUnit
}

/** In a breakdown a unit counts once for each of its values, so the values may add up to more than `count`. */
export const DistinctResult = Type.Object({
  count,
  breakdown: Type.Optional(Type.Array(Type.Object({ value, count, other: Type.Optional(Type.Boolean()) }))),
})
export type DistinctResult = Static<typeof DistinctResult>

/** The query of `GET journeys`. */
export const JourneyQuery = Type.Object({
  depth: Type.Optional(Type.Integer({ minimum: 2, maximum: queryLimits.journeyDepthMax })),
  start: Type.Optional(Type.String()),
  end: Type.Optional(Type.String()),
  key: Type.Optional(KeySchema),
})

/** Patterns of pages that are one place each; the first that matches a page names its place. */
export const JourneyGroups = Type.Array(Type.String({ minLength: 1, maxLength: limits.urlCharsMax }), {
  maxItems: queryLimits.journeyGroupsMax,
})

/**
 * Query for the paths that people take. The places of a unit are the pages it visited, or its values of `key`;
 * consecutive equal places count as one.
 */
export interface JourneyRequest {
  readonly from: number
  readonly to: number
  readonly depth?: number
  /** only journeys that reach this place, from its first occurrence on */
  readonly start?: string
  /** only journeys that reach this place, up to its first occurrence; the last `depth` places of each */
  readonly end?: string
  readonly key?: string
  /** only visits of places that match */
  readonly filters?: readonly Filter[]
  /** patterns of pages, like `/products/*`: the pages that one of them matches are one place, named by the pattern */
  readonly groups?: readonly string[]
  readonly count_by?: FunnelUnit
}

export const JourneyResult = Type.Object({
  nodes: Type.Array(
    Type.Object({
      id: Type.String(),
      step: count,
      value: Type.String(),
      users: count,
      kind: Type.Optional(
        Type.Enum(['other', 'exit'], {
          description: 'other: the less used places of the step; exit: those who went to no further place',
        }),
      ),
    }),
  ),
  links: Type.Array(Type.Object({ from: Type.String(), to: Type.String(), users: count })),
})
export type JourneyResult = Static<typeof JourneyResult>
