import type { Client } from 'cassandra-driver'
import { VersionedCache, type CacheEntry } from '../client/versioned-cache.ts'
import type { VisitorRow } from '../visitors/visitor-block.ts'
import { deltaBefore, rowsMaxOf, rowsSince, type DeltaPlace } from '../visitors/visitor-deltas.ts'

type Version = bigint | undefined

/** The value that a cache derives from the rows of a partition. */
interface Content {
  readonly rows: number
}

interface State<T> {
  readonly content: T
  /** maximum number of rows before a full read */
  readonly rowsMax: number
  /** the value contains this delta and all before it; undefined if deltas cannot be added */
  readonly since: bigint | undefined
}

/** Reads a partition, as a whole or by its additions. */
interface Source<T> {
  readonly place: DeltaPlace
  /** false for a partition to which hardly any rows are added, so that its deltas are not worth reading */
  readonly isGrowing: boolean
  readonly read: () => Promise<T>
  /** Adds rows to the cached content; undefined if that is impossible and everything must be read again. */
  readonly extend: (cached: T, added: readonly VisitorRow[]) => T | undefined
}

/**
 * Caches partitions of visitor rows without a limit in bytes. When the version of a partition has changed, reads the
 * additions, or everything if they cannot be determined.
 */
export class DeltaCache<T extends Content> {
  readonly #client: Client
  readonly #partitions: VersionedCache<Version, State<T>>

  constructor(client: Client, bytesOf: (content: T) => number) {
    this.#client = client
    this.#partitions = new VersionedCache<Version, State<T>>(Infinity, ({ content }) => bytesOf(content))
  }

  /** estimated memory in use */
  get bytes(): number {
    return this.#partitions.bytes
  }

  /** The content of a partition in this version. `asOf` is a time before the version was read. */
  async get(key: string, version: Version, asOf: number, source: Source<T>): Promise<T> {
    const { content } = await this.#partitions.get(
      key,
      version,
      asOf,
      async (before) => (await this.#extended(source, before, version)) ?? this.#whole(source),
    )
    return content
  }

  async #whole({ place, isGrowing, read }: Source<T>): Promise<State<T>> {
    // Read before the rows, so that the rows include the rows of this delta.
    const since = isGrowing ? await deltaBefore(this.#client, place) : undefined
    const content = await read()
    return { content, rowsMax: rowsMaxOf(content.rows), since }
  }

  async #extended(
    { place, extend }: Source<T>,
    before: CacheEntry<Version, State<T>> | undefined,
    version: Version,
  ): Promise<State<T> | undefined> {
    const cached = await before?.value.catch(() => undefined)
    if (cached?.since === undefined || before?.version === undefined || version === undefined) return undefined
    const { content, rowsMax, since } = cached
    const added = await rowsSince(this.#client, place, { version: before.version, since }, version)
    if (!added || content.rows + added.rows.length > rowsMax) return undefined
    const extended = extend(content, added.rows)
    return extended && { content: extended, rowsMax, since: added.since }
  }
}
