import type { CounterTableName, Partition } from '@hopper/storage'
import type { CountedEvent } from './counted-event.ts'
import type { CounterRows } from './counter-rows.ts'
import { counterFolds, visitorFolds } from '../tables/all.ts'
import type { Put } from '../tables/fold.ts'
import { VisitorRows } from './visitor-rows.ts'

/**
 * Folds the events of one local date of an app into its tables. Events are added one by one and folded together, table
 * by table.
 */
export class DateFold {
  readonly counters: readonly CounterRows[]
  readonly visitors: readonly VisitorRows[]
  readonly #positions: number[] = []
  readonly #events: CountedEvent[] = []
  /** the last event of the previous fold */
  #previous: CountedEvent | undefined

  constructor(partition: Partition, rowsOf: (table: CounterTableName) => CounterRows) {
    this.counters = counterFolds.map(({ table }) => rowsOf(table))
    this.visitors = visitorFolds.map(({ table }) => new VisitorRows({ table, ...partition }))
  }

  add(position: number, event: CountedEvent): void {
    this.#positions.push(position)
    this.#events.push(event)
  }

  /** Folds the events that were added since the last call, and releases them. */
  fold(): void {
    const [positions, events] = [this.#positions, this.#events]
    counterFolds.forEach(({ fold }, index) => {
      const { after, add } = this.counters[index]!
      for (let i = 0; i < events.length; i++) if (positions[i]! > after) fold(events[i]!, add)
    })
    visitorFolds.forEach(({ fold, repeats }, index) => {
      const rows = this.visitors[index]!
      let last = this.#previous
      // One function for all events: a closure per event would only be garbage.
      let event: CountedEvent
      const put: Put = (key) => rows.put(key, event.visitor)
      for (event of events) {
        if (!last || !repeats?.(last, event)) fold(event, put)
        last = event
      }
    })
    this.#previous = events.at(-1)
    positions.length = events.length = 0
  }
}
