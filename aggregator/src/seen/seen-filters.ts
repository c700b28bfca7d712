import type { Partition, TableWriter } from '@hopper/storage'
import { IdFilter } from './id-filter.ts'

/** Memory of all filters of a process: some 30 million ids. */
const FILTERS_BYTES_MAX = 96_000_000
/** Ids that a filter is told at most for each that is asked, until it knows all. */
const FILLED_PER_ASKED = 8
/** What a filter takes beside its bits. */
const ENTRY_BYTES = 512

interface Known {
  readonly filter: IdFilter
  /** the ids that the store still has to tell; undefined when the filter knows all */
  rest: AsyncIterator<readonly string[]> | undefined
  bytes: number
}

/**
 * Answers 'never seen' for ids of a partition of a lane without a look-up. A filter is filled from the exact store,
 * some pages with each batch that asks for its partition, the more the more it asks; until it knows all that stands
 * there, every id counts as 'maybe seen'. So a new date needs one question, a large one that is hardly asked for costs
 * little, and after a restart the verdicts are the same. The least recently used filters go when the bound of memory is
 * passed.
 *
 * It must see every id before it is written, and only the owner of a lane writes: what another owner may have written
 * meanwhile is forgotten by `forget`.
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

  /** of memory */
  get bytes(): number {
    return this.#bytes
  }

  /** Those of the ids that may stand in the store. */
  async maybeSeen(lane: number, partition: Partition, ids: readonly string[]): Promise<readonly string[]> {
    const { filter, rest } = await this.#filled(lane, partition, ids.length)
    return rest ? ids : ids.filter((id) => filter.has(id))
  }

  /**
   * The same of ids that are about to be written: from now on each of them may stand there. An id that stands twice
   * among them is one that may.
   */
  async meet(lane: number, partition: Partition, ids: readonly string[]): Promise<readonly string[]> {
    const known = await this.#filled(lane, partition, ids.length)
    const maybe = ids.filter((id) => known.filter.add(id))
    this.#weigh(keyOf(lane, partition), known)
    return known.rest ? ids : maybe
  }

  /** Tells of ids that are about to be written, and were not met. */
  tell(lane: number, partition: Partition, ids: readonly string[]): void {
    const key = keyOf(lane, partition)
    const known = this.#known.get(key)
    if (!known) return
    for (const id of ids) known.filter.add(id)
    this.#weigh(key, known)
  }

  /** Forgets a lane: it has, or had, another owner. */
  forget(lane: number): void {
    for (const [key, known] of this.#known) if (key.startsWith(`${lane}\0`)) this.#drop(key, known)
  }

  async #filled(lane: number, partition: Partition, asked: number): Promise<Known> {
    const key = keyOf(lane, partition)
    const known = this.#use(key, () => ({
      filter: new IdFilter(),
      rest: this.#writer.seenIds(lane, partition)[Symbol.asyncIterator](),
      bytes: 0,
    }))
    if (known.rest) await this.#fill(key, known, asked * FILLED_PER_ASKED)
    return known
  }

  /** One page at least, and no further one when so many ids were told. */
  async #fill(key: string, known: Known, idsMax: number): Promise<void> {
    try {
      for (let told = 0; known.rest && told <= idsMax;) {
        const page = await known.rest.next()
        if (page.done) known.rest = undefined
        else for (const id of page.value) known.filter.add(id)
        told += page.done ? 0 : page.value.length
      }
      this.#weigh(key, known)
    } catch (error) {
      // An iteration that has failed is over, and would be taken for complete.
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

  #weigh(key: string, known: Known): void {
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
