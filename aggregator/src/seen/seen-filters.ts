import type { Partition, TableWriter } from '@hopper/storage'
import { IdFilter } from './id-filter.ts'

/** Memory of all filters of a process: about 30 million ids. */
const FILTERS_BYTES_MAX = 96_000_000
/** Ids that are loaded into an incomplete filter per id that is looked up. */
const LOADED_PER_LOOKUP = 8
/** Memory of a filter in addition to its bits, in bytes. */
const ENTRY_BYTES = 512

interface Known {
  readonly filter: IdFilter
  /** pages of ids that are still to be loaded from the store; undefined when the filter is complete */
  rest: AsyncIterator<readonly string[]> | undefined
  bytes: number
}

/**
 * Answers 'never seen' for ids of a partition of a lane without a look-up. A filter is filled from the exact store,
 * some pages with each batch that uses its partition, in proportion to the ids of the batch. Until it is complete,
 * every id counts as 'maybe seen'. So a new date needs one query, a large partition that is rarely used costs little,
 * and the verdicts are the same after a restart. The least recently used filters are dropped when the memory bound is
 * exceeded.
 *
 * It must see every id before it is written, and only the owner of a lane writes: `forget` drops filters that another
 * owner may have made stale.
 */
export class SeenFilters {
  readonly #writer: Pick<TableWriter, 'seenIds'>
  readonly #bytesMax: number
  readonly #known = new Map<string, Known>()
  #bytes = 0

  constructor(writer: Pick<TableWriter, 'seenIds'>, bytesMax = FILTERS_BYTES_MAX) {
    this.#writer = writer
    this.#bytesMax = bytesMax
  }

  /** memory in bytes */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns the ids that may be in the store. */
  async maybeSeen(lane: number, partition: Partition, ids: readonly string[]): Promise<readonly string[]> {
    const { filter, rest } = await this.#filled(lane, partition, ids.length)
    return rest ? ids : ids.filter((id) => filter.has(id))
  }

  /**
   * Does the same for ids that are about to be written, and adds them. An id that occurs twice among them counts as one
   * that may be in the store.
   */
  async testAndAdd(lane: number, partition: Partition, ids: readonly string[]): Promise<readonly string[]> {
    const known = await this.#filled(lane, partition, ids.length)
    const maybe = ids.filter((id) => known.filter.add(id))
    this.#updateBytes(keyOf(lane, partition), known)
    return known.rest ? ids : maybe
  }

  /** Adds ids that are about to be written and were not passed to `meet`. */
  add(lane: number, partition: Partition, ids: readonly string[]): void {
    const key = keyOf(lane, partition)
    const known = this.#known.get(key)
    if (!known) return
    for (const id of ids) known.filter.add(id)
    this.#updateBytes(key, known)
  }

  /** Drops the filters of a lane that has, or had, another owner. */
  forget(lane: number): void {
    for (const [key, known] of this.#known) if (key.startsWith(`${lane}\0`)) this.#drop(key, known)
  }

  async #filled(lane: number, partition: Partition, count: number): Promise<Known> {
    const key = keyOf(lane, partition)
    const known = this.#use(key, () => ({
      filter: new IdFilter(),
      rest: this.#writer.seenIds(lane, partition)[Symbol.asyncIterator](),
      bytes: 0,
    }))
    if (known.rest) await this.#fill(key, known, count * LOADED_PER_LOOKUP)
    return known
  }

  /** Loads at least one page, and no further page once more than `idsMax` ids were loaded. */
  async #fill(key: string, known: Known, idsMax: number): Promise<void> {
    try {
      for (let loaded = 0; known.rest && loaded <= idsMax;) {
        const page = await known.rest.next()
        if (page.done) known.rest = undefined
        else for (const id of page.value) known.filter.add(id)
        loaded += page.done ? 0 : page.value.length
      }
      this.#updateBytes(key, known)
    } catch (error) {
      // A failed iteration is finished, and would look complete.
      this.#drop(key, known)
      throw error
    }
  }

  #use(key: string, make: () => Known): Known {
    const known = this.#known.get(key) ?? make()
    this.#known.delete(key)
    this.#known.set(key, known)
    return known
  }

  #updateBytes(key: string, known: Known): void {
    if (this.#known.get(key) !== known) return
    const bytes = known.filter.bytes + ENTRY_BYTES
    this.#bytes += bytes - known.bytes
    known.bytes = bytes
    for (const [least, other] of this.#known) {
      if (this.#bytes <= this.#bytesMax) return
      this.#drop(least, other)
    }
  }

  #drop(key: string, known: Known): void {
    if (this.#known.get(key) !== known) return
    this.#known.delete(key)
    this.#bytes -= known.bytes
  }
}

function keyOf(lane: number, { app, date }: Partition): string {
  return `${lane}\0${app}\0${date}`
}
