import { Type, type Static } from 'typebox'
import type { ErrorCode } from '../errors.ts'

/** Codes of answers of ingest that are remembered, since a person must do something about them. */
export const refusalCodes = [
  'HOP_KEY_MISSING',
  'HOP_KEY_UNKNOWN',
  'HOP_KEY_POWER',
  'HOP_ORIGIN',
  'HOP_RATE',
  'HOP_QUOTA',
  'HOP_BODY_INVALID',
  'HOP_BODY_TOO_LARGE',
  'HOP_BODY_TYPE',
] as const satisfies readonly ErrorCode[]
export type RefusalCode = (typeof refusalCodes)[number]

/** Dates of refusals that are kept. */
export const REFUSAL_DAYS = 30
/**
 * Maximum number of kinds of refusals that a process counts separately on a date; more are counted without origin and
 * key.
 */
export const REFUSALS_PER_DAY_MAX = 100

/** Requests that ingest has refused for one reason, of one origin. */
export const Refusal = Type.Object({
  date: Type.String({ description: 'UTC' }),
  code: Type.Enum([...refusalCodes]),
  app: Type.Union([Type.String(), Type.Null()], { description: 'null: the key is of no app' }),
  origin: Type.Union([Type.String(), Type.Null()], {
    description: 'of the page that sent it; null: no page did, or there were too many origins on that date',
  }),
  key_hint: Type.Union([Type.String(), Type.Null()], { description: 'the last characters of a key that is not valid' }),
  requests: Type.Integer({ minimum: 1 }),
  last_at: Type.Integer({ description: 'of the last one, ms since the epoch' }),
})
export type Refusal = Static<typeof Refusal>

/** `GET /api/v1/refusals`. */
export const Refusals = Type.Object({
  rows: Type.Array(Refusal, { description: 'the newest first' }),
})
export type Refusals = Static<typeof Refusals>

/** Requests that one process of ingest has refused on a UTC date. Written by that process alone. */
export interface RefusedDay {
  /** id of the process, another one for each start */
  readonly process: string
  readonly date: string
  readonly rows: readonly Omit<Refusal, 'date'>[]
}

/** Returns the registry id of a record of refusals, in the order of dates. */
export function refusedDayId({ date, process }: Pick<RefusedDay, 'date' | 'process'>): string {
  return `${date} ${process}`
}
