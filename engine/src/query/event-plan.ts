import { queryLimits, type ChunkSummary, type EventRequest } from '@hopper/contracts'
import { possibleOutcomes } from '../filter/classify-rows.ts'
import { AtomSet, keysOfAtoms, possible, type Atom, type Expression } from '../filter/compile-filters.ts'
import { columnsToRead } from '../filter/key-column.ts'
import { FilterBudget, invalid, over, parseFilters, parseKey } from '../filter/parse-filters.ts'
import { withoutBots } from '../filter/without-bots.ts'

export interface PlannedSet {
  readonly name: string
  readonly expression: Expression
  readonly unique: readonly string[]
  readonly keys: readonly string[] | undefined
  readonly events: number
}

/** A compiled `POST /query`; both spellings of a set are normalized to one. */
export class EventPlan {
  readonly start: number
  readonly end: number
  readonly sets: readonly PlannedSet[]
  /** the sets of the funnel in order, as indexes into `sets` */
  readonly stages: readonly number[]
  readonly match: readonly string[]
  /** the tests of all filters */
  readonly atoms: readonly Atom[]

  constructor(request: EventRequest) {
    const { start, end, data, funnel } = request
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start >= end)
      throw invalid('start', 'must be an instant before end')
    if (end - start > queryLimits.rangeMsMax) throw over('start', 'rangeMsMax')
    if (data.length === 0) throw invalid('data', 'must not be empty')
    if (data.length > queryLimits.setsMax) throw over('data', 'setsMax')
    this.start = start
    this.end = end
    const budget = new FilterBudget()
    const atoms = new AtomSet()
    this.atoms = atoms.atoms
    this.sets = data.map(({ name, filters, unique, operations, keys, events }, i) => {
      const wanted = [...new Set([...(unique ?? []), ...(operations ?? []).map((operation) => operation.key)])]
      if (wanted.length > queryLimits.uniqueKeysMax || (keys?.length ?? 0) > queryLimits.uniqueKeysMax)
        throw over(`data[${i}]`, 'uniqueKeysMax')
      for (const key of [...wanted, ...(keys ?? [])]) parseKey(key, `data[${i}]`)
      if (events !== undefined && events > queryLimits.eventsMax) throw over(`data[${i}].events`, 'eventsMax')
      const expression = atoms.compile(withoutBots(parseFilters(filters, `data[${i}].filters`, budget)))
      return { name, expression, unique: wanted, keys, events: events ?? 0 }
    })
    if (new Set(data.map((set) => set.name)).size < data.length)
      throw invalid('data', 'must have sets of different names')
    this.match = funnel?.match ?? []
    if (this.match.length > queryLimits.matchKeysMax) throw over('funnel.match', 'matchKeysMax')
    for (const key of this.match) parseKey(key, 'funnel.match')
    this.stages = funnel ? stagesOf(funnel.order ?? funnel.data ?? data.map((set) => set.name), this.sets) : []
  }

  /** the keys that the query names */
  get named(): readonly string[] {
    const shown = this.sets.flatMap(({ keys, events }) => (events > 0 ? (keys ?? []) : []))
    return [...keysOfAtoms(this.atoms), ...this.match, ...this.sets.flatMap((set) => set.unique), ...shown]
  }

  /** Returns the columns of a chunk that the query reads; all of them if events are shown. */
  columns(summary: ChunkSummary): readonly string[] {
    if (this.sets.some((set) => set.events > 0)) return Object.keys(summary.columns)
    const places = this.stages.length > 0 ? ['position', 'index'] : []
    const columns = [...this.named, 'samplerate'].flatMap((key) => columnsToRead(summary.columns, key))
    return [...new Set(['runs', 'timestamp', ...places, ...columns])]
  }

  /** Returns whether a chunk can contain anything relevant to the query, according to its summary. */
  canMatch(summary: ChunkSummary): boolean {
    if (summary.max_time < this.start || summary.min_time >= this.end) return false
    const outcomes = possibleOutcomes(summary, this.atoms)
    return this.sets.some((set) => (possible(set.expression, outcomes) & 1) === 1)
  }
}

function stagesOf(names: readonly string[], sets: readonly PlannedSet[]): number[] {
  if (names.length > queryLimits.setsMax) throw over('funnel.order', 'setsMax')
  return names.map((name, i) => {
    const index = sets.findIndex((set) => set.name === name)
    if (index < 0) throw invalid(`funnel.order[${i}]`, 'must name one of the sets')
    return index
  })
}
