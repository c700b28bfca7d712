import {
  conditionOf,
  sharedPages,
  type AnnotationView,
  type Element,
  type Filter,
  type SharedPage,
  type SharedView,
} from '@hopper/contracts'
import type { FunnelView } from '../answers/administration.ts'
import {
  checkConditions,
  checkFields,
  checkFilters,
  outsideView,
  type Question,
  type SharedRule,
} from './shared-rule.ts'
import type { SharedScope } from './shared-scope.ts'

type Fields = Readonly<Record<string, unknown>>

const UNITS = ['person', 'device', 'session']
/** Properties of the cards of an overview. */
const OVERVIEW_BREAKDOWNS = ['device', 'browser', 'os', 'country', 'utm_source', 'utm_campaign', 'referrer']
/** Counts the people of an overview: a funnel of one stage that every event reaches. */
const ANY_EVENT = [{ name: 'any event', filters: [] }]
/** Window of the funnel of a query: with one step, no later event has to be read. */
const QUESTION_WINDOW_MS = 1
const JOURNEY_DEPTH = 5
const EVENT_NAME = 'name'

/**
 * A report that ignores filters: a view that has any must not show it, as it would show events that they exclude.
 */
export function sharedReport(
  pages: readonly SharedPage[],
  values: Readonly<Record<string, unknown[]>> = {},
): SharedRule {
  return {
    pages,
    ask: (scope, { query, body }) => {
      if (scope.filters.length > 0) throw outsideView('filters')
      checkFields(scope, query as Fields, values)
      return { query, body }
    },
  }
}

const asSent = (_: SharedScope, sent: Question): Question => sent

/** The funnel of the view, and no other. */
export const sharedFunnels: SharedRule = {
  pages: ['overview', 'funnel', 'elements', 'journeys'],
  ask: asSent,
  answer: ({ view }, { funnels }: { funnels: readonly FunnelView[] }) => ({
    funnels: funnels.filter(({ id }) => id === view.funnel),
  }),
}

/** Names of elements; how they are found on the page is a setting. */
export const sharedElements: SharedRule = {
  pages: ['overview', 'elements'],
  ask: asSent,
  answer: (_, { elements }: { elements: readonly Element[] }) => ({
    elements: elements.map(({ name, xpath }) => ({ name, xpath })),
  }),
}

/** Announces a change of the whole app in a range of the view, without the change itself. */
export const sharedChanges: SharedRule = {
  pages: sharedPages,
  ask: (scope, { query, body }) => {
    checkFields(scope, query as Fields, {})
    return { query, body }
  },
}

/** Annotations of the whole app and of the funnel of the view, without who made them. */
export const sharedAnnotations: SharedRule = {
  pages: ['overview', 'funnel'],
  ask: (scope, { query, body }) => {
    checkFields(scope, query as Fields, { funnel: [scope.view.funnel] })
    return { query, body }
  },
  answer: ({ view }, { annotations }: { annotations: readonly AnnotationView[] }) => ({
    annotations: annotations
      .filter(({ funnel }) => funnel === undefined || funnel === view.funnel)
      .map(({ id, from, to, text, funnel }) => ({ id, from, text, ...defined({ to, funnel }) })),
  }),
}

export const sharedFunnel: SharedRule = {
  pages: ['overview', 'funnel', 'explore'],
  ask: (scope, { query, body }) => {
    if (scope.view.page === 'explore') return { query, body: countOfView(scope, body as Fields) }
    const { filters, ...sent } = body as Fields
    checkFilters(scope, filters)
    const isOverview = scope.view.page === 'overview'
    checkFields(scope, sent, isOverview ? overviewValues(scope, sent) : funnelValues(scope))
    return { query, body: isOverview ? withFilters(scope, sent) : asCounted(scope, withFilters(scope, sent)) }
  },
}

/** Retention, of a view that shows it. */
export const sharedRetention: SharedRule = {
  pages: ['explore'],
  ask: (scope, { query, body }) => {
    const { event, again = event, shown_as: form, each = 'week' } = scope.view
    const { first: sentFirst, again: sentAgain, ...sent } = body as Fields
    if (form !== 'retention') throw outsideView('first')
    const asked = {
      first: [...conditionsOf(event), ...scope.filters],
      again: [...conditionsOf(again), ...scope.filters],
    }
    checkConditions('first', asked.first, sentFirst)
    checkConditions('again', asked.again, sentAgain)
    checkFields(scope, sent, { ...countValues(scope), by: [each] })
    return { query, body: asCounted(scope, { from: sent['from'], to: sent['to'], ...asked, by: each }) }
  },
}

export const sharedElementHovers: SharedRule = {
  pages: ['elements'],
  ask: (scope, { query, body }) => {
    const { filters, ...sent } = body as Fields
    checkFilters(scope, filters)
    checkFields(scope, sent, { ...countValues(scope), funnel: [scope.view.funnel], trend: ['day', 'week'] })
    return { query, body: asCounted(scope, withFilters(scope, sent)) }
  },
}

/** One element of the page, in full. */
export const sharedHesitation: SharedRule = {
  pages: ['elements'],
  ask: (scope, { query, body }) => {
    const { filters, element, ...sent } = body as Fields
    checkFilters(scope, filters)
    checkFields(scope, sent, { ...countValues(scope), funnel: [scope.view.funnel] })
    if (element === undefined) throw outsideView('element')
    return { query, body: asCounted(scope, withFilters(scope, { ...sent, element })) }
  },
}

export const sharedJourneys: SharedRule = {
  pages: ['journeys'],
  ask: (scope, { query, body }) => {
    const { filters, groups: sentGroups, ...sent } = query as Fields
    const { start, end, depth = JOURNEY_DEPTH, places, groups = [] } = scope.view
    const key = places === 'events' ? EVENT_NAME : undefined
    checkFilters(scope, parsed(filters))
    const isGrouped = places !== 'each' && key === undefined && groups.length > 0
    if (sentGroups !== undefined && JSON.stringify(parsed(sentGroups)) !== JSON.stringify(isGrouped ? groups : []))
      throw outsideView('groups')
    checkFields(scope, sent, { ...countValues(scope), start: [start], end: [end], depth: [depth], key: [key] })
    const question = {
      from: sent['from'],
      to: sent['to'],
      depth,
      ...defined({ start, end, key }),
      ...(isGrouped ? { groups: JSON.stringify(groups) } : {}),
      ...(scope.filters.length > 0 ? { filters: JSON.stringify(scope.filters) } : {}),
    }
    return { query: asCounted(scope, question), body }
  },
}

/** Returns the query that counts who had the events of a view: a funnel of one stage. */
function countOfView(scope: SharedScope, body: Fields): Fields {
  const { event, breakdown, shown_as: form } = scope.view
  const { filters, steps: sentSteps, ...sent } = body
  const conditions = conditionsOf(event)
  if (form === 'retention') throw outsideView('steps')
  checkFilters(scope, filters)
  if (sentSteps !== undefined) {
    const [step, ...others] = sentSteps as { readonly filters: unknown }[]
    if (others.length > 0) throw outsideView('steps')
    checkConditions('steps', conditions, step?.filters)
  }
  const values = { window_ms: [QUESTION_WINDOW_MS], trend: ['day', 'week'], breakdown: [breakdown] }
  checkFields(scope, sent, { ...countValues(scope), ...values })
  const steps = [{ name: 'events', filters: conditions }]
  return asCounted(scope, withFilters(scope, { ...sent, steps, window_ms: QUESTION_WINDOW_MS }))
}

function conditionsOf(event: SharedView['event']): Filter[] {
  return event ? [conditionOf(event)] : []
}

/** The sentence, the funnel and the headline of an overview. */
function overviewValues({ view }: SharedScope, sent: Fields): Record<string, unknown[]> {
  if (sent['funnel'] === undefined)
    return {
      steps: [ANY_EVENT],
      window_ms: [1],
      count_by: UNITS,
      breakdown: OVERVIEW_BREAKDOWNS,
      trend: ['day', 'week'],
    }
  return { funnel: [view.funnel], trend: ['day', 'week'], count_by: UNITS, breakdown: ['device'] }
}

function funnelValues(scope: SharedScope): Record<string, unknown[]> {
  const { funnel, breakdown } = scope.view
  return { ...countValues(scope), funnel: [funnel], trend: ['day', 'week'], breakdown: [breakdown] }
}

function countValues({ view }: SharedScope): Record<string, unknown[]> {
  return { count_by: [view.count_by ?? 'person'] }
}

function withFilters({ filters }: SharedScope, sent: Fields): Fields & { readonly filters: readonly Filter[] } {
  return { ...sent, filters }
}

function asCounted({ view: { count_by: unit } }: SharedScope, question: Fields): Fields {
  return { ...question, ...defined({ count_by: unit }) }
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function parsed(text: unknown): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text as string)
  } catch {
    return null
  }
}
