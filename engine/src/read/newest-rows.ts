import { limits, type ChunkSummary, type Filter } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { classifyRows, possibleOutcomes } from '../filter/classify-rows.ts'
import { AtomSet, holds, keysOfAtoms, possible, type Atom, type Expression } from '../filter/compile-filters.ts'
import { columnsToRead } from '../filter/key-column.ts'
import { parseFilters } from '../filter/parse-filters.ts'
import { comparePlaces, orderColumns, placeReader, type EventPlace } from '../people/event-place.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'

/** Requests the newest events of a range that match filters. */
export interface NewestRequest {
  /** ms, inclusive */
  readonly from: number
  /** ms, exclusive */
  readonly to: number
  readonly filters: readonly Filter[]
  /** by lane: only events before this place in the log are returned */
  readonly ends: readonly number[]
  /** only events before this one */
  readonly before?: EventPlace
  readonly limit: number
}

/** A compiled request. Events of bots match unless a filter excludes them. */
export class NewestPlan {
  readonly request: NewestRequest
  readonly atoms: readonly Atom[]
  readonly expression: Expression

  /** @throws HopperError if a filter is invalid */
  constructor(request: NewestRequest) {
    this.request = request
    const atoms = new AtomSet()
    this.expression = atoms.compile(parseFilters(request.filters))
    this.atoms = atoms.atoms
  }

  get named(): readonly string[] {
    return keysOfAtoms(this.atoms)
  }

  columns(summary: ChunkSummary): readonly string[] {
    const columns = this.named.flatMap((key) => columnsToRead(summary.columns, key))
    return [...new Set(['runs', ...orderColumns, ...columns])]
  }

  /** Returns whether a chunk can have a matching event, according to its summary. */
  canMatch(summary: ChunkSummary): boolean {
    return (possible(this.expression, possibleOutcomes(summary, this.atoms)) & 1) === 1
  }
}

/** A row of one of the scanned chunks. */
export interface NewestRow {
  readonly place: EventPlace
  /** index of the chunk, in the order of scanning */
  readonly chunk: number
  readonly row: number
}

/** Finds the newest matching events in chunks of any order; fastest if the chunks with the newest come first. */
export class NewestRows {
  readonly #plan: NewestPlan
  readonly #chunks: ChunkSummary[] = []
  #kept: NewestRow[] = []
  /** the time before which no event is wanted any more */
  #bound = -Infinity

  constructor(plan: NewestPlan) {
    this.#plan = plan
  }

  /** the scanned chunks */
  get chunks(): readonly ChunkSummary[] {
    return this.#chunks
  }

  /** Returns whether a chunk can have events that are newer than those found so far. */
  mayHaveNewer({ min_time, max_time }: ChunkSummary): boolean {
    const { before } = this.#plan.request
    return max_time >= this.#bound && (before === undefined || min_time <= before[0])
  }

  /** Needs the columns of the plan. */
  scan(chunk: Chunk, budget: Budget = unlimitedBudget): void {
    budget.check()
    const { atoms, expression, request } = this.#plan
    const { from, to, ends, before } = request
    const { codes, classes, truths } = classifyRows(chunk, atoms, budget)
    const matching = truths.map((truth) => holds(expression, truth))
    const place = placeReader(chunk)
    const times = chunk.times()
    const end = ends[chunk.summary.lane] ?? 0
    const number = this.#chunks.push(chunk.summary) - 1
    for (let row = 0; row < times.length; row++) {
      const time = times[row]!
      if (time < this.#bound || time < from || time >= to || !matching[classes[codes[row]!]!]) continue
      const own = place(row)
      if (before && comparePlaces(own, before) >= 0) continue
      if (own[2] * limits.eventsPerBatchMax + own[4] >= end) continue
      this.#kept.push({ place: own, chunk: number, row })
      if (this.#kept.length >= request.limit * 2 + 64) this.#cut()
    }
    this.#cut()
  }

  /** Returns the rows, the newest first. */
  rows(): readonly NewestRow[] {
    this.#cut()
    return this.#kept
  }

  #cut(): void {
    const { limit } = this.#plan.request
    this.#kept = this.#kept.sort((a, b) => comparePlaces(b.place, a.place)).slice(0, limit)
    if (this.#kept.length === limit) this.#bound = this.#kept.at(-1)!.place[0]
  }
}
