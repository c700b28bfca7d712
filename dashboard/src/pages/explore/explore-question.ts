import type { EventRequest, Filter, FunnelQuery, RetentionRequest } from '@hopper/contracts'
import { filterOf, readChip, type Chip } from '../../state/filters.ts'
import type { Scope } from '../../state/scope.tsx'

type QuestionScope = Pick<Scope, 'filters' | 'unit' | 'range'>
type EventBody = Omit<EventRequest, 'start' | 'end'> & { readonly start: string; readonly end: string }
type RetentionBody = Omit<RetentionRequest, 'from' | 'to'> & { readonly from: string; readonly to: string }

/** The most events that are shown. */
export const EVENTS_SHOWN = 200
/** Lines that stay apart. */
export const LINES_SHOWN = 5
/** Columns of an event that are shown unless the address says otherwise. */
export const columnsOfEvents: readonly string[] = ['timestamp', 'type', 'page', 'target', 'person', 'device']
/** Maximum columns: as many as fit, and no more than the API returns. */
export const COLUMNS_MAX = 12

/** Returns the condition of the events that a text of the address names, such as `type:click`; none for all events. */
export function eventFilters(what: string | undefined): Filter[] {
  const chip = what === undefined ? undefined : readChip(what)
  return chip ? [filterOf(chip)] : []
}

/**
 * Returns the query that counts the people with such an event: a funnel of one stage. A breakdown gives each the value
 * of their first event, so the rows add up to the total.
 */
export function countQuestion(
  { filters, unit, range }: QuestionScope,
  what: string | undefined,
  more: { readonly breakdown?: string; readonly trend?: 'day' | 'week'; readonly only?: Chip } = {},
): FunnelQuery {
  const all = [...filters, ...(more.only ? [filterOf(more.only)] : [])]
  return {
    from: range.from,
    to: range.to,
    steps: [{ name: what ?? 'any event', filters: eventFilters(what) }],
    // nobody has to come back: no later event is read
    window_ms: 1,
    ...(all.length === 0 ? {} : { filters: all }),
    ...(unit === 'person' ? {} : { count_by: unit }),
    ...(more.breakdown === undefined ? {} : { breakdown: more.breakdown }),
    ...(more.trend === undefined ? {} : { trend: more.trend }),
  }
}

/** Returns the question for the events themselves. */
export function eventsQuestion(
  { filters, range }: QuestionScope,
  what: string | undefined,
  keys: readonly string[],
): EventBody {
  return {
    start: range.from,
    end: range.to,
    data: [{ name: 'events', filters: [...eventFilters(what), ...filters], keys, events: EVENTS_SHOWN }],
  }
}

/** Returns the query for retention: who comes back after their first such event, with an event that `again` names. */
export function retentionQuestion(
  { filters, unit, range }: QuestionScope,
  what: string | undefined,
  again: string | undefined,
  by: 'day' | 'week',
): RetentionBody {
  return {
    from: range.from,
    to: range.to,
    first: [...eventFilters(what), ...filters],
    again: [...eventFilters(again ?? what), ...filters],
    by,
    ...(unit === 'person' ? {} : { count_by: unit }),
  }
}
