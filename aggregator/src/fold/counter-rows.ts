import type { CounterChange, CounterPartition } from '@hopper/storage'
import { rowKey } from './row-key.ts'
import type { Add } from '../tables/fold.ts'

/** Sums that a batch adds to one counter partition whose watermark is `from`. */
export class CounterRows {
  /** only positions above this are counted */
  readonly after: number
  readonly #from: number
  readonly #partition: CounterPartition
  readonly #rows = new Map<string, CounterChange['rows'][number] & { readonly deltas: number[] }>()

  /** `skip` is false only in the control of the fault test: everything is then treated as not counted yet. */
  constructor(partition: CounterPartition, from: number, skip = true) {
    this.#partition = partition
    this.#from = from
    this.after = skip ? from : -1
  }

  readonly add: Add = (key, deltas) => {
    const id = rowKey(key)
    const row = this.#rows.get(id)
    if (!row) this.#rows.set(id, { key, deltas: [...deltas] })
    else for (let index = 0; index < deltas.length; index++) row.deltas[index]! += deltas[index]!
  }

  /** Returns the change up to the last position of the batch; none when nothing is added. */
  changes(last: number): CounterChange[] {
    if (this.#rows.size === 0) return []
    return [{ ...this.#partition, from: this.#from, to: Math.max(this.#from, last), rows: [...this.#rows.values()] }]
  }
}
