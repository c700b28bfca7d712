import type { ChunkSummary } from '@hopper/contracts'
import { keysOfFilters, withoutPatterns } from './filter-parts.ts'
import {
  EventPlan,
  FunnelPlan,
  hasPuts,
  hasRareKeys,
  isPersonKey,
  JourneyScan,
  mayHaveSession,
  mayHaveTraits,
  PersonsPlan,
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
  /** the person keys that the query names */
  readonly personKeys: readonly string[]
  /** true if the query shows all traits and computed properties of some persons */
  readonly showsPersons: boolean
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
  const { from, to, byPerson, personKeys, showsPersons } = scopeOf(withoutPatterns(question), context)
  return {
    from,
    to,
    byPerson,
    personKeys,
    showsPersons,
    keys: keysOfFilters(
      question.request,
      new Set(['bot', 'type', ...(question.kind === 'journeys' ? [question.request.key ?? 'to'] : [])]),
    ),
  }
}

/** @throws HopperError if the query is invalid */
export function scopeOf(question: Query, context: QueryContext): ScanScope {
  if (question.kind === 'events') {
    const plan = new EventPlan(question.request)
    return scope(plan.start, plan.end, plan.named, (summary) => plan.canMatch(summary))
  }
  if (question.kind === 'values') {
    const plan = new ValuePlan(question.request)
    return scope(plan.request.from, plan.request.to, plan.named, (summary) => plan.canMatch(summary))
  }
  if (question.kind === 'keys') return scope(question.request.from, question.request.to, [], hasRareKeys)
  if (question.kind === 'traits')
    return scope(question.request.from, question.request.to, [], (summary) => mayHaveTraits(summary))
  if (question.kind === 'page' || question.kind === 'encoded_page' || question.kind === 'export')
    return scope(question.request.from, question.request.to, [], () => true)
  if (question.kind === 'puts') return scope(question.request.from, question.request.to, [], hasPuts)
  if (question.kind === 'person')
    return { ...scope(question.request.from, question.request.to, [], () => true, true), showsPersons: true }
  if (question.kind === 'persons') {
    const { from, to } = question.request
    return { ...scope(from, to, new PersonsPlan(question.request).keys, () => true, true), showsPersons: true }
  }
  if (question.kind === 'session') {
    const { from, to, id } = question.request
    return scope(from, to, [], (summary) => mayHaveSession(summary, id))
  }
  const plan = planOf(question, context)
  const known = new ValueTruths(plan.atoms)
  return scope(plan.from, plan.end, plan.named, (summary) => plan.canMatch(summary, known), plan.unit === 'person')
}

function scope(
  from: number,
  to: number,
  keys: readonly string[],
  canMatch: ScanScope['canMatch'],
  byPerson = false,
): ScanScope {
  const personKeys = [...new Set(keys.filter(isPersonKey))]
  return { from, to, byPerson: byPerson || personKeys.length > 0, personKeys, showsPersons: false, canMatch }
}

function planOf(question: UnitQuery, context: QueryContext): FunnelPlan {
  if (question.kind === 'funnel') return new FunnelPlan(question.request)
  if (question.kind === 'journeys') return new JourneyScan(question.request).plan
  return new RetentionScan(question.request, context).plan
}
