import type { ChunkSummary } from '@hopper/contracts'
import { keysOfFilters, withoutPatterns } from './filter-parts.ts'
import {
  ElementsPlan,
  EventPlan,
  FoundPlan,
  FunnelPlan,
  hasPuts,
  hasRareKeys,
  HesitationPlan,
  InsteadPlan,
  isPersonKey,
  JourneyPeopleScan,
  JourneyScan,
  LossScan,
  NewestPlan,
  mayHaveSession,
  mayHaveTraits,
  PersonsPlan,
  RetentionScan,
  RowsPlan,
  rowsRequest,
  SourceScan,
  ValuePlan,
  ValueTruths,
  type QueryContext,
} from '@hopper/engine'
import type { UnitQuery, Query, QueryOf } from './query.ts'

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
  /** Returns whether a chunk can match, by its summary, so that no column is fetched needlessly. */
  canMatch(summary: ChunkSummary): boolean
}

/** The scope that can be derived without the regular expressions of a query; the threads compile and test those. */
export interface Outline extends Omit<ScanScope, 'canMatch'> {
  /** keys whose values decide whether a chunk can match */
  readonly keys: ReadonlySet<string>
}

/** @throws HopperError if the query is invalid; its regular expressions are not checked */
export function outlineOf(query: Query, context: QueryContext): Outline {
  const { from, to, byPerson, personKeys, showsPersons } = scopeOf(withoutPatterns(query), context)
  return {
    from,
    to,
    byPerson,
    personKeys,
    showsPersons,
    keys: keysOfFilters(
      query.request,
      new Set(['bot', 'type', ...(isOfJourneys(query) ? [query.request.key ?? 'to'] : [])]),
    ),
  }
}

function isOfJourneys(query: Query): query is QueryOf<'journeys' | 'journey_people'> {
  return query.kind === 'journeys' || query.kind === 'journey_people'
}

/** @throws HopperError if the query is invalid */
export function scopeOf(query: Query, context: QueryContext): ScanScope {
  if (query.kind === 'events') {
    const plan = new EventPlan(query.request)
    return scope(plan.start, plan.end, plan.named, (summary) => plan.canMatch(summary))
  }
  if (query.kind === 'values') {
    const plan = new ValuePlan(query.request)
    return scope(plan.request.from, plan.request.to, plan.named, (summary) => plan.canMatch(summary))
  }
  if (query.kind === 'keys') return scope(query.request.from, query.request.to, [], hasRareKeys)
  if (query.kind === 'traits')
    return scope(query.request.from, query.request.to, [], (summary) => mayHaveTraits(summary))
  if (query.kind === 'page' || query.kind === 'encoded_page' || query.kind === 'export')
    return scope(query.request.from, query.request.to, [], () => true)
  if (query.kind === 'newest') {
    const plan = new NewestPlan(query.request)
    return scope(plan.request.from, plan.request.to, plan.named, (summary) => plan.canMatch(summary))
  }
  if (query.kind === 'puts') return scope(query.request.from, query.request.to, [], hasPuts)
  if (query.kind === 'person')
    return { ...scope(query.request.from, query.request.to, [], () => true, true), showsPersons: true }
  if (query.kind === 'persons') {
    const { from, to } = query.request
    return { ...scope(from, to, new PersonsPlan(query.request).keys, () => true, true), showsPersons: true }
  }
  if (query.kind === 'session') {
    const { from, to, id } = query.request
    return scope(from, to, [], (summary) => mayHaveSession(summary, id))
  }
  if (query.kind === 'people' || query.kind === 'journey_people') {
    const [found, rows] =
      query.kind === 'people'
        ? [new FoundPlan(query.request), new RowsPlan(query.request)]
        : [new JourneyPeopleScan(query.request).plan, new RowsPlan(rowsRequest(query.request))]
    const named = [...found.named, ...rows.named]
    return {
      ...scope(rows.from, rows.end, named, (summary) => rows.canMatch(summary), rows.unit === 'person'),
      showsPersons: true,
    }
  }
  if (query.kind === 'elements' || query.kind === 'hesitation' || query.kind === 'instead') {
    const plan = combinedPlanOf(query)
    return scope(plan.from, plan.end, plan.named, (summary) => plan.canMatch(summary), plan.unit === 'person')
  }
  const plan = planOf(query, context)
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

function combinedPlanOf(
  query: Extract<UnitQuery, { kind: 'elements' | 'hesitation' | 'instead' }>,
): ElementsPlan | HesitationPlan | InsteadPlan {
  if (query.kind === 'elements') return new ElementsPlan(query.request)
  return query.kind === 'hesitation' ? new HesitationPlan(query.request) : new InsteadPlan(query.request)
}

function planOf(
  query: Exclude<UnitQuery, { kind: 'elements' | 'hesitation' | 'instead' }>,
  context: QueryContext,
): FunnelPlan {
  if (query.kind === 'funnel') return new FunnelPlan(query.request)
  if (query.kind === 'journeys') return new JourneyScan(query.request).plan
  if (query.kind === 'sources') return new SourceScan(query.request).users.plan
  if (query.kind === 'loss') return new LossScan(query.request, context).plan
  return new RetentionScan(query.request, context).plan
}
