import { Type, type Static } from 'typebox'
import type { Filter } from './filter.ts'

export const lossKeys = ['day', 'browser', 'country'] as const
export type LossKey = (typeof lossKeys)[number]

/** Query for the events that trackers have numbered and that never arrived. */
export interface LossRequest {
  readonly from: number
  readonly to: number
  readonly by: LossKey
  /** only sessions with an event that matches all of them */
  readonly filters: readonly Filter[]
}

/**
 * If a session skips more numbers than this between two received events, or before its first, it has restarted its
 * numbers: no tracker has that many events waiting.
 */
export const LOSS_GAP_MAX = 10_000

const whole = Type.Integer({ minimum: 0 })

export const LossResult = Type.Object({
  open_sessions: Type.Integer({
    minimum: 0,
    description: 'sessions of the range that may still go on, or whose last events may not be counted; in no row',
  }),
  rows: Type.Array(
    Type.Object({
      value: Type.String({ description: 'a date, a browser or a country; `unknown` where there is none' }),
      sessions: whole,
      expected: Type.Integer({ minimum: 0, description: 'events up to the last received one of each session' }),
      received: whole,
      lost_share: Type.Union([Type.Number(), Type.Null()], { description: '(expected - received) / expected' }),
      error: Type.Union([Type.Number(), Type.Null()], {
        description: 'half the width of the 95 % Wilson score interval of lost_share',
      }),
      pages: Type.Integer({ minimum: 0, description: 'pages that were entered' }),
      unclosed_pages: Type.Integer({
        minimum: 0,
        description: 'pages whose end never arrived: the last one of each tab, and those whose end was lost',
      }),
    }),
  ),
})
export type LossResult = Static<typeof LossResult>
