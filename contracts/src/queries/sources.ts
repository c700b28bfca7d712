import { Type, type Static } from 'typebox'
import type { Filter } from './filter.ts'

/** Keys by which `GET sources` groups sessions. */
export const sourceKeys = ['channel', 'referrer', 'utm_source', 'utm_medium', 'utm_campaign', 'landing_page'] as const
export type SourceKey = (typeof sourceKeys)[number]

export const sourceOrders = ['users', 'sessions', 'value'] as const
export type SourceOrder = (typeof sourceOrders)[number]

/** The place of a row in the order of an answer. */
export interface SourcePlace {
  /** value of the row in the column by which rows are ordered */
  readonly at: number | string
  readonly value: string
}

/** Query for where visitors come from. */
export interface SourcesRequest {
  readonly from: number
  readonly to: number
  readonly by: SourceKey
  /** only events that match */
  readonly filters: readonly Filter[]
  readonly count_by: 'person' | 'device'
  /** only values that contain it, in any case */
  readonly search?: string
  readonly order: SourceOrder
  readonly descending: boolean
  readonly limit: number
  /** only rows behind this one */
  readonly after?: SourcePlace
}

const count = Type.Integer({ minimum: 0 })

/** `next` is the place of the last row, if more follow. */
export const SourcesResult = Type.Object({
  total_users: Type.Integer({ minimum: 0, description: 'users with a matching event, whatever their source' }),
  rows: Type.Array(
    Type.Object({
      value: Type.String(),
      users: count,
      sessions: count,
      share: Type.Union([Type.Number(), Type.Null()], { description: 'users / total_users' }),
    }),
    { description: 'one row for each value; a user who came in several ways counts in each' },
  ),
})
export interface SourcesResult extends Static<typeof SourcesResult> {
  readonly next: SourcePlace | null
}
