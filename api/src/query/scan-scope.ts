import type { ChunkSummary } from '@hopper/contracts'
import { keysOfFilters, withoutPatterns } from './filter-parts.ts'
import {
  EventPlan,
  FunnelPlan,
  hasRareKeys,
  JourneyScan,
  RetentionScan,
  ValuePlan,
  ValueTruths,
  type QueryContext,
} from '@hopper/engine'
import type { UnitQuery, Query } from './query.ts'

/** The part of the archive that a query reads. */
export interface ScanScope {
  /** ms, included */
  readonly from: number
  /** ms, not included */
  readonly to: number
  /** true if the query resolves devices to users */
  readonly byPerson: boolean
  /** Tells from its summary whether a chunk can match, so that no column is fetched in vain. */
  canMatch(summary: ChunkSummary): boolean
}

/** The scope that can be derived without the regular expressions of a query; the threads compile and test those. */
export interface Outline extends Omit<ScanScope, 'canMatch'> {
  /** keys whose values decide whether a chunk can match */
  readonly keys: ReadonlySet<string>
}

/** @throws HopperError if the query is invalid; its regular expressions are not checked */
export function outlineOf(question: Query, context: QueryContext): Outline {
  const { from, to, byPerson } = scopeOf(withoutPatterns(question), context)
  return {
    from,
    to,
    byPerson,
    keys: keysOfFilters(
      question.request,
      new Set(['bot', ...(question.kind === 'journeys' ? [question.request.key ?? 'to'] : [])]),
    ),
  }
}

/** @throws HopperError if the query is invalid */
export function scopeOf(question: Query, context: QueryContext): ScanScope {
  if (question.kind === 'events') {
    const plan = new EventPlan(question.request)
    return { from: plan.start, to: plan.end, byPerson: false, canMatch: (summary) => plan.canMatch(summary) }
  }
  if (question.kind === 'values') {
    const plan = new ValuePlan(question.request)
    return {
      from: plan.request.from,
      to: plan.request.to,
      byPerson: false,
      canMatch: (summary) => plan.canMatch(summary),
    }
  }
  if (question.kind === 'keys')
    return { from: question.request.from, to: question.request.to, byPerson: false, canMatch: hasRareKeys }
  if (question.kind === 'page' || question.kind === 'person' || question.kind === 'export') {
    const { from, to } = question.request
    return { from, to, byPerson: question.kind === 'person', canMatch: () => true }
  }
  const plan = planOf(question, context)
  const known = new ValueTruths(plan.atoms)
  return {
    from: plan.from,
    to: plan.end,
    byPerson: plan.unit === 'person',
    canMatch: (summary) => plan.canMatch(summary, known),
  }
}

function planOf(question: UnitQuery, context: QueryContext): FunnelPlan {
  if (question.kind === 'funnel') return new FunnelPlan(question.request)
  if (question.kind === 'journeys') return new JourneyScan(question.request).plan
  return new RetentionScan(question.request, context).plan
}
