import type { FunnelQuery } from '@hopper/contracts'
import type { DateRange } from '../../state/date-range.ts'
import type { Scope } from '../../state/scope.tsx'
import type { Unit } from '../../state/search.ts'

/**
 * Returns the query that counts people, devices or sessions: a funnel of one stage that every event reaches. A
 * breakdown gives each the value of its first event, so the rows add up to the total.
 */
export function peopleQuestion(
  { filters, unit }: Pick<Scope, 'filters' | 'unit'>,
  { from, to }: DateRange,
  more: { readonly unit?: Unit; readonly breakdown?: string; readonly trend?: 'day' | 'week' } = {},
): FunnelQuery {
  const counted = more.unit ?? unit
  return {
    from,
    to,
    steps: [{ name: 'any event', filters: [] }],
    // nobody has to come back: no later event is read
    window_ms: 1,
    ...(filters.length === 0 ? {} : { filters: [...filters] }),
    ...(counted === 'person' ? {} : { count_by: counted }),
    ...(more.breakdown === undefined ? {} : { breakdown: more.breakdown }),
    ...(more.trend === undefined ? {} : { trend: more.trend }),
  }
}
