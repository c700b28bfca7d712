import type { PageRule } from '@hopper/contracts'
import { Chunk, ColumnCache } from '@hopper/engine'
import { BoundedMap } from './sharing/bounded-map.ts'
import { chunkName } from './fingerprint.ts'
import type { WorkerRequest, Cells, ColumnFetch } from './pool/query-job.ts'

/** Decoded columns that a thread keeps for the next query. */
const KEPT_BYTES_MAX = 256 * 1024 * 1024
/** Columns that were fetched and, as it turned out, not needed: as they came. */
const UNUSED_BYTES_MAX = 64 * 1024 * 1024

/** Asks the main thread; undefined when the job is over. */
export type Ask = (asked: WorkerRequest) => Promise<unknown>

/** Ends a job whose answer nobody needs any more. */
export class JobCancelled extends Error {}

interface Lent {
  readonly chunk: Chunk
  readonly cells: Cells
}

/** Where a thread has its chunks from: columns that it has had before are at hand, the others are fetched in one go. */
export class ChunkSource {
  readonly #kept = new ColumnCache(KEPT_BYTES_MAX)
  readonly #unused = new BoundedMap<Uint8Array>(UNUSED_BYTES_MAX)
  readonly #ask: Ask
  /** what a page is to the app of the current job */
  pages: PageRule | undefined
  /** what was fetched, by call: the last call's chunks are not read yet, those of the one before may be */
  #lent: Lent[][] = []

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /**
   * Chunks that have these columns. `kept` false for what is read once: nothing of it stays.
   * @throws JobOver
   */
  async chunks(wants: readonly ColumnFetch[], kept = true): Promise<Chunk[]> {
    const columns = new HeldColumns(kept ? this.#kept : new ColumnCache(Infinity))
    const had = wants.map(() => new Map<string, Uint8Array>())
    const chunks = wants.map(({ summary }, i) => new Chunk(summary, (name) => had[i]!.get(name), columns, this.pages))
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

  /** After a job: what it fetched and did not decode is kept as it is. */
  settle(): void {
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

/**
 * Holds on to what was at hand when it was looked for, though others may push it out of the cache before it is read.
 */
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
  throw new RangeError('a column that is at hand is not decoded again')
}
