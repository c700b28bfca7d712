import type { DropCause, Filter, FunnelQuery, PeopleQuery, Value } from '@hopper/contracts'
import type { DateRange } from '../../state/date-range.ts'
import type { Scope } from '../../state/scope.tsx'

export type QuestionSteps =
  | { readonly funnel: string }
  | { readonly steps: readonly { readonly name: string; readonly filters: readonly Filter[] }[] }

/** People behind one number: those who reached a stage, were lost before it, or were lost for one cause. */
export interface PeopleOf {
  /** number of the stage, from 1 */
  readonly stage: number
  readonly outcome: 'reached' | 'dropped' | DropCause
  /** only those of one value of a breakdown */
  readonly value?: { readonly breakdown: string; readonly value: Value | null }
}

/** Returns the question about a funnel in the scope of the page. */
export function funnelQuestion(
  { filters, unit }: Pick<Scope, 'filters' | 'unit'>,
  { from, to }: DateRange,
  steps: QuestionSteps,
  more: Pick<FunnelQuery, 'breakdown' | 'trend'> = {},
): FunnelQuery {
  return {
    from,
    to,
    ...steps,
    ...(filters.length === 0 ? {} : { filters }),
    ...(unit === 'person' ? {} : { count_by: unit }),
    ...more,
  }
}

/** Returns the question about the people behind a number of a funnel. */
export function peopleQuestion(
  scope: Pick<Scope, 'filters' | 'unit' | 'range'>,
  funnel: string,
  { stage, outcome, value }: PeopleOf,
  limit: number,
): PeopleQuery {
  return { ...funnelQuestion(scope, scope.range, { funnel }), step: stage, outcome, ...value, limit }
}

/** Returns a question as a command for a shell, which gives the same answer. */
export function curlOf(origin: string, path: string, body: object): string {
  const json = JSON.stringify(body).replace(/'/g, `'\\''`)
  return [
    `curl '${origin}${path}' \\`,
    `  -H 'Authorization: Bearer READ_KEY' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${json}'`,
  ].join('\n')
}
