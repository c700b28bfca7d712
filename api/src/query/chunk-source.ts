import { Chunk, ColumnCache } from '@hopper/engine'
import type { Asked, Cells, Want } from './query-job.ts'

/** Decoded columns that a thread keeps for the next query. */
const KEPT_BYTES_MAX = 256 * 1024 * 1024

/** Asks the main thread; undefined when the job is over. */
export type Ask = (asked: Asked) => Promise<unknown>

/** Ends a job whose answer nobody needs any more. */
export class JobOver extends Error {}

/** Where a thread has its chunks from: columns that it has decoded before are at hand, the others are fetched in one go. */
export class ChunkSource {
  readonly #kept = new ColumnCache(KEPT_BYTES_MAX)
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** @throws JobOver */
  async chunks(wants: readonly Want[], kept = true): Promise<Chunk[]> {
    const columns = new HeldColumns(kept ? this.#kept : new ColumnCache(Infinity))
    const cells: Cells[] = []
    const chunks = wants.map(({ summary }, i) => new Chunk(summary, (name) => cells[i]?.get(name), columns))
    const missing = wants.flatMap(({ summary, names }, at) => {
      const absent = [...new Set(names)].filter((name) => !chunks[at]!.atHand(name))
      return absent.length > 0 ? [{ at, want: { summary, names: absent } }] : []
    })
    if (missing.length > 0) {
      const fetched = (await this.#ask({ ask: 'cells', wants: missing.map(({ want }) => want) })) as Cells[] | undefined
      if (!fetched) throw new JobOver()
      missing.forEach(({ at }, i) => (cells[at] = fetched[i]!))
    }
    return chunks
  }
}

/** Holds on to what was at hand when it was looked for, though others may push it out of the cache before it is read. */
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
