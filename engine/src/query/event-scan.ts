import { queryLimits, type EventRequest, type EventResult, type Value } from '@hopper/contracts'
import type { Chunk, ValueColumn } from '../chunk/chunk.ts'
import { Dictionary } from '../chunk/value-column.ts'
import { classifyRows } from '../filter/classify-rows.ts'
import { holds } from '../filter/compile-filters.ts'
import { keyColumn } from '../filter/key-column.ts'
import { over } from '../filter/parse-filters.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import { TupleNumbers } from '../scan/match-numbers.ts'
import { DistinctValues } from './distinct-values.ts'
import { EventPlan } from './event-plan.ts'
import { followStages, StageEvents } from './exact-order.ts'
import { FirstEvents } from './first-events.ts'

/** The counts of one set. */
interface SetTally {
  count: number
  readonly unique: readonly DistinctValues[]
  readonly events: FirstEvents
}

/** Runs a `POST /query` over chunks in any order: counts sets row by row and evaluates the funnel at the end. */
export class EventScan {
  readonly plan: EventPlan
  readonly #budget: Budget
  readonly #dictionaries = new Map<string, Dictionary>()
  readonly #tallies: readonly SetTally[]
  readonly #stages: readonly StageEvents[]
  readonly #matches: TupleNumbers

  constructor(request: EventRequest, budget = unlimitedBudget) {
    this.plan = new EventPlan(request)
    this.#budget = budget
    this.#matches = new TupleNumbers(this.plan.match)
    this.#tallies = this.plan.sets.map(({ unique, events, keys }) => ({
      count: 0,
      unique: unique.map((key) => new DistinctValues(this.#dictionary(key))),
      events: new FirstEvents(events, keys),
    }))
    this.#stages = this.plan.stages.map((set) => new StageEvents(this.plan.sets[set]!.unique.length))
  }

  scanChunk(chunk: Chunk): void {
    if (!this.plan.canMatch(chunk.summary)) return
    this.#budget.check()
    const { codes, classes, truths } = classifyRows(chunk, this.plan.atoms, this.#budget)
    const collect = this.#collectors(chunk)
    const setsOfClass = truths.map((truth) =>
      this.plan.sets.flatMap((set, i) => (holds(set.expression, truth) ? [collect[i]!] : [])),
    )
    const times = chunk.times()
    const { start, end } = this.plan
    for (let row = 0; row < codes.length; row++) {
      const sets = setsOfClass[classes[codes[row]!]!]!
      if (sets.length === 0 || times[row]! < start || times[row]! >= end) continue
      for (const set of sets) set(row)
    }
  }

  finish(): EventResult {
    const data = this.plan.sets.map(({ name, unique, events }, i) => {
      const tally = this.#tallies[i]!
      const counts = Object.fromEntries(unique.map((key, k) => [key, tally.unique[k]!.size]))
      return { name, count: tally.count, unique: counts, ...(events > 0 ? { events: tally.events.rows() } : {}) }
    })
    if (this.plan.stages.length === 0) return { data }
    const sets = this.plan.stages.map((set) => this.plan.sets[set]!)
    const counts = followStages(
      this.#stages,
      sets.map((set) => set.unique.map((key) => this.#dictionary(key))),
    )
    const stages = sets.map(({ name, unique }, s) => {
      const { count, unique: sizes } = counts[s]!
      return {
        name,
        count,
        unique: Object.fromEntries(unique.map((key, k) => [key, sizes[k]!])),
        rate: counts[0]!.count === 0 ? null : count / counts[0]!.count,
      }
    })
    return { data, funnel: { stages } }
  }

  #dictionary(key: string): Dictionary {
    let dictionary = this.#dictionaries.get(key)
    if (!dictionary) this.#dictionaries.set(key, (dictionary = new Dictionary()))
    return dictionary
  }

  /** Creates a function per set that collects a matching row of this chunk. */
  #collectors(chunk: Chunk): ((row: number) => void)[] {
    const weights = chunk.values('samplerate')
    const weight = (row: number): number => (weights ? Number(weights.values[weights.codes[row]!] ?? 1) : 1)
    const match = this.#stages.length > 0 ? this.#matches.reader(chunk) : () => -1
    return this.plan.sets.map((set, i) => {
      const tally = this.#tallies[i]!
      const columns = set.unique.map((key) => keyColumn(chunk, key))
      const counters = columns.map((column, k) => tally.unique[k]!.counter(column))
      const stages = this.#stages
        .filter((_, stage) => this.plan.stages[stage] === i)
        .map((stage) => this.#stageCollector(chunk, stage, set.unique, columns))
      const show = set.events > 0 ? tally.events.collector(chunk) : undefined
      return (row) => {
        const times = weight(row)
        tally.count += times
        for (const counter of counters) counter(row)
        for (const stage of stages) stage(row, times, match(row))
        show?.(row)
      }
    })
  }

  #stageCollector(
    chunk: Chunk,
    stage: StageEvents,
    keys: readonly string[],
    columns: readonly (ValueColumn | undefined)[],
  ): (row: number, weight: number, tuple: number) => void {
    const tables = columns.map((column, k) => {
      const dictionary = this.#dictionary(keys[k]!)
      return (
        column &&
        Int32Array.from(column.values, (value: Value | null) => (value === null ? -1 : dictionary.code(value)))
      )
    })
    const position = chunk.numbers('position')
    const index = chunk.numbers('index')
    const times = chunk.times()
    return (row, weight, tuple) => {
      if (stage.tuple.length >= queryLimits.funnelEventsMax) throw over('funnel', 'funnelEventsMax')
      stage.tuple.push(tuple)
      stage.time.push(times[row]!)
      stage.lane.push(chunk.summary.lane)
      stage.position.push(position[row]!)
      stage.index.push(index[row]!)
      stage.weight.push(weight)
      tables.forEach((table, k) => stage.uniques[k]!.push(table ? table[columns[k]!.codes[row]!]! : -1))
    }
  }
}

/** Runs a complete `POST /query` in this thread. */
export function queryEvents(request: EventRequest, chunks: Iterable<Chunk>, budget?: Budget): EventResult {
  const scan = new EventScan(request, budget)
  for (const chunk of chunks) scan.scanChunk(chunk)
  return scan.finish()
}
