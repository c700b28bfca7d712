import type { CounterPartition, CounterPartitionRow, VisitorChange, VisitorPartition } from '@hopper/storage'
import { CounterRows } from '../fold/counter-rows.ts'
import type { Folded } from '../fold/fold-batch.ts'
import { partitionKey } from '../fold/row-key.ts'
import { VisitorRows } from '../fold/visitor-rows.ts'

/** Expected content of the partitions of one lane, collected from folds of its events in any order, each event once. */
export class Recount {
  readonly #counters = new Map<string, CounterRows>()
  readonly #visitors = new Map<string, VisitorRows>()

  add({ counters, visitors }: Pick<Folded, 'counters' | 'visitors'>): void {
    for (const change of counters)
      this.addRows(
        change,
        change.rows.map(({ key, deltas }) => ({ key, counters: deltas })),
      )
    for (const { table, app, date, rows } of visitors) {
      const id = partitionKey(table, app, date)
      let entry = this.#visitors.get(id)
      if (!entry) this.#visitors.set(id, (entry = new VisitorRows({ table, app, date })))
      for (const { key, visitor } of rows) entry.put(key, visitor)
    }
  }

  /** Adds counter rows to a partition. */
  addRows({ table, app, date }: CounterPartition, rows: readonly CounterPartitionRow[]): void {
    const id = partitionKey(table, app, date)
    let entry = this.#counters.get(id)
    if (!entry) this.#counters.set(id, (entry = new CounterRows({ table, app, date }, -1)))
    for (const { key, counters } of rows) entry.add(key, counters)
  }

  counters({ table, app, date }: CounterPartition): readonly CounterPartitionRow[] {
    const [change] = this.#counters.get(partitionKey(table, app, date))?.changes(-1) ?? []
    return (change?.rows ?? []).map(({ key, deltas }) => ({ key, counters: deltas }))
  }

  visitors({ table, app, date }: VisitorPartition): VisitorChange['rows'] {
    return this.#visitors.get(partitionKey(table, app, date))?.changes()[0]?.rows ?? []
  }
}
