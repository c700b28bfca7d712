import type { PageRule } from '@hopper/contracts'
import { Chunk, ColumnCache, type People } from '@hopper/engine'
import { BoundedMap } from './sharing/bounded-map.ts'
import { chunkName } from './fingerprint.ts'
import type { WorkerRequest, Cells, ColumnFetch } from './pool/query-job.ts'

/** Maximum bytes of decoded columns that a thread caches for later queries. */
const CACHED_BYTES_MAX = 256 * 1024 * 1024
/** Maximum bytes of encoded columns that were fetched but not needed. */
const UNUSED_BYTES_MAX = 64 * 1024 * 1024

/** Sends a request to the main thread; undefined means that the job is over. */
export type SendRequest = (request: WorkerRequest) => Promise<unknown>

/** Ends a job whose answer is no longer needed. */
export class JobCancelled extends Error {}

interface FetchedCells {
  readonly chunk: Chunk
  readonly cells: Cells
}

/** Provides a thread with chunks: cached columns are reused, the missing ones fetched with one request. */
export class ChunkSource {
  readonly #cache = new ColumnCache(CACHED_BYTES_MAX)
  readonly #unused = new BoundedMap<Uint8Array>(UNUSED_BYTES_MAX)
  readonly #sendRequest: SendRequest
  /** page rule of the app of the current job */
  pages: PageRule | undefined
  /** the known people of that app, once the job has requested them */
  people: People | undefined
  /** fetched cells, by call: those of the last call are unread, those of the call before may still be read */
  #recentFetches: FetchedCells[][] = []

  constructor(sendRequest: SendRequest) {
    this.#sendRequest = sendRequest
  }

  /**
   * Returns chunks with these columns. Pass `cached` = false for columns that are read only once: they are not cached.
   * @throws JobCancelled
   */
  async chunks(fetches: readonly ColumnFetch[], cached = true): Promise<Chunk[]> {
    const columns = new PinnedColumns(cached ? this.#cache : new ColumnCache(Infinity))
    const cells = fetches.map(() => new Map<string, Uint8Array>())
    const { pages, people } = this
    const chunks = fetches.map(
      ({ summary }, i) => new Chunk(summary, (name) => cells[i]!.get(name), columns, pages, people),
    )
    const missing = fetches.flatMap(({ summary, names }, index) => {
      const absent = [...new Set(names)].filter(
        (name) => !chunks[index]!.atHand(name) && !this.#wasUnused(chunks[index]!, name, cells[index]!),
      )
      return absent.length > 0 ? [{ index, fetch: { summary, names: absent } }] : []
    })
    if (missing.length > 0) {
      const fetched = (await this.#sendRequest({ ask: 'cells', fetches: missing.map(({ fetch }) => fetch) })) as
        Cells[] | undefined
      if (!fetched) throw new JobCancelled()
      missing.forEach(({ index }, i) => fetched[i]!.forEach((cell, name) => cells[index]!.set(name, cell)))
      if (cached)
        this.#recentFetches.push(missing.map(({ index }, i) => ({ chunk: chunks[index]!, cells: fetched[i]! })))
      if (this.#recentFetches.length > 2) this.#settle(this.#recentFetches.shift()!)
    }
    return chunks
  }

  /** Called after a job: caches the cells that it fetched but did not decode. */
  settle(): void {
    this.people = undefined
    this.#recentFetches.forEach((fetched) => this.#settle(fetched))
    this.#recentFetches = []
  }

  #settle(fetched: readonly FetchedCells[]): void {
    for (const { chunk, cells } of fetched) {
      for (const [name, cell] of cells)
        if (!chunk.atHand(name)) this.#unused.put(cellName(chunk, name), cell, cell.byteLength)
    }
  }

  #wasUnused(chunk: Chunk, name: string, cells: Map<string, Uint8Array>): boolean {
    const cell = this.#unused.get(cellName(chunk, name))
    if (cell) cells.set(name, cell)
    return cell !== undefined
  }
}

function cellName({ summary }: Chunk, column: string): string {
  return `${summary.app}/${chunkName(summary)}/${column}`
}

/**
 * Keeps the columns that were cached when `has` was called, since other columns may evict them before they are read.
 */
class PinnedColumns extends ColumnCache {
  readonly #cache: ColumnCache
  readonly #pinned = new Map<string, object>()

  constructor(cache: ColumnCache) {
    super(0)
    this.#cache = cache
  }

  override has(key: string): boolean {
    if (!this.#cache.has(key)) return false
    this.#pinned.set(key, this.#cache.get(key, neverDecoded))
    return true
  }

  override get<T extends object>(key: string, decode: () => { readonly value: T; readonly bytes: number }): T {
    return (this.#pinned.get(key) as T | undefined) ?? this.#cache.get(key, decode)
  }
}

function neverDecoded(): never {
  throw new RangeError('a cached column must not be decoded again')
}
