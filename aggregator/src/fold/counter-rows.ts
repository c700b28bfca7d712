import type { CounterChange, CounterPartition } from '@hopper/storage'
import { rowKey } from './row-key.ts'
import type { Add } from '../tables/fold.ts'

/** What a batch adds to one counter partition that stands at the watermark `from`. */
export class CounterRows {
  /** what stands at positions above this is not counted yet */
  readonly after: number
  readonly #from: number
  readonly #partition: CounterPartition
  readonly #rows = new Map<string, CounterChange['rows'][number] & { readonly deltas: number[] }>()

  /** `skip` false is the control of the fault test: everything is held to be not counted. */
  constructor(partition: CounterPartition, from: number, skip = true) {
    this.#partition = partition
    this.#from = from
    this.after = skip ? from : -1
  }

  readonly add: Add = (key, deltas) => {
    const id = rowKey(key)
    const row = this.#rows.get(id)
    if (!row) this.#rows.set(id, { key, deltas: [...deltas] })
    else for (let at = 0; at < deltas.length; at++) row.deltas[at]! += deltas[at]!
  }

  /** The change up to the batch's last position; none when nothing is added. */
  changes(last: number): CounterChange[] {
    if (this.#rows.size === 0) return []
    return [{ ...this.#partition, from: this.#from, to: Math.max(this.#from, last), rows: [...this.#rows.values()] }]
  }
}
