import type { PageRule } from '@hopper/contracts'
import { Chunk, ColumnCache, type People } from '@hopper/engine'
import { BoundedMap } from './sharing/bounded-map.ts'
import { chunkName } from './fingerprint.ts'
import type { WorkerRequest, Cells, ColumnFetch } from './pool/query-job.ts'

/** Maximum bytes of decoded columns that a thread caches for later queries. */
const KEPT_BYTES_MAX = 256 * 1024 * 1024
/** Maximum bytes of encoded columns that were fetched but not needed. */
const UNUSED_BYTES_MAX = 64 * 1024 * 1024

/** Sends a request to the main thread; undefined means that the job is over. */
export type Ask = (asked: WorkerRequest) => Promise<unknown>

/** Ends a job whose answer is no longer needed. */
export class JobCancelled extends Error {}

interface Lent {
  readonly chunk: Chunk
  readonly cells: Cells
}

/** Provides a thread with chunks: cached columns are reused, the missing ones fetched with one request. */
export class ChunkSource {
  readonly #kept = new ColumnCache(KEPT_BYTES_MAX)
  readonly #unused = new BoundedMap<Uint8Array>(UNUSED_BYTES_MAX)
  readonly #ask: Ask
  /** page rule of the app of the current job */
  pages: PageRule | undefined
  /** what is known of the people of that app, once the job has asked for it */
  people: People | undefined
  /** fetched cells, by call: those of the last call are unread, those of the call before may still be read */
  #lent: Lent[][] = []

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /**
   * Returns chunks with these columns. Pass `kept` = false for columns that are read only once: they are not cached.
   * @throws JobCancelled
   */
  async chunks(wants: readonly ColumnFetch[], kept = true): Promise<Chunk[]> {
    const columns = new HeldColumns(kept ? this.#kept : new ColumnCache(Infinity))
    const had = wants.map(() => new Map<string, Uint8Array>())
    const { pages, people } = this
    const chunks = wants.map(
      ({ summary }, i) => new Chunk(summary, (name) => had[i]!.get(name), columns, pages, people),
    )
    const missing = wants.flatMap(({ summary, names }, at) => {
      const absent = [...new Set(names)].filter(
        (name) => !chunks[at]!.atHand(name) && !this.#wasUnused(chunks[at]!, name, had[at]!),
      )
      return absent.length > 0 ? [{ at, want: { summary, names: absent } }] : []
    })
    if (missing.length > 0) {
      const fetched = (await this.#ask({ ask: 'cells', wants: missing.map(({ want }) => want) })) as Cells[] | undefined
      if (!fetched) throw new JobCancelled()
      missing.forEach(({ at }, i) => fetched[i]!.forEach((cell, name) => had[at]!.set(name, cell)))
      if (kept) this.#lent.push(missing.map(({ at }, i) => ({ chunk: chunks[at]!, cells: fetched[i]! })))
      if (this.#lent.length > 2) this.#settle(this.#lent.shift()!)
    }
    return chunks
  }

  /** Called after a job: caches the cells that it fetched but did not decode. */
  settle(): void {
    this.people = undefined
    this.#lent.forEach((lent) => this.#settle(lent))
    this.#lent = []
  }

  #settle(lent: readonly Lent[]): void {
    for (const { chunk, cells } of lent) {
      for (const [name, cell] of cells)
        if (!chunk.atHand(name)) this.#unused.put(cellName(chunk, name), cell, cell.byteLength)
    }
  }

  #wasUnused(chunk: Chunk, name: string, had: Map<string, Uint8Array>): boolean {
    const cell = this.#unused.get(cellName(chunk, name))
    if (cell) had.set(name, cell)
    return cell !== undefined
  }
}

function cellName({ summary }: Chunk, column: string): string {
  return `${summary.app}/${chunkName(summary)}/${column}`
}

/** Pins the columns that were cached when `has` was called, since other columns may evict them before they are read. */
class HeldColumns extends ColumnCache {
  readonly #kept: ColumnCache
  readonly #held = new Map<string, object>()

  constructor(kept: ColumnCache) {
    super(0)
    this.#kept = kept
  }

  override has(key: string): boolean {
    if (!this.#kept.has(key)) return false
    this.#held.set(key, this.#kept.get(key, neverDecoded))
    return true
  }

  override get<T extends object>(key: string, decode: () => { readonly value: T; readonly bytes: number }): T {
    return (this.#held.get(key) as T | undefined) ?? this.#kept.get(key, decode)
  }
}

function neverDecoded(): never {
  throw new RangeError('a cached column must not be decoded again')
}
