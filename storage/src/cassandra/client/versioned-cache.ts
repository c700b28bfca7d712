/** A cached value, its version, and a time whose changes are all in it (on the `performance.now()` clock). */
export interface CacheEntry<V, T> {
  readonly version: V
  readonly value: Promise<T>
  readonly asOf: number
}

interface SizedEntry<V, T> extends CacheEntry<V, T> {
  asOf: number
  bytes: number
}

/** Caches one value and its version per key, in at most `bytesMax` bytes. Evicts the least recently used entries. */
export class VersionedCache<V, T> {
  readonly #bytesMax: number
  readonly #bytesOf: (value: T) => number
  readonly #isSame: (a: V, b: V) => boolean
  readonly #entries = new Map<string, SizedEntry<V, T>>()
  #bytes = 0

  constructor(bytesMax: number, bytesOf: (value: T) => number, same: (a: V, b: V) => boolean = Object.is) {
    this.#bytesMax = bytesMax
    this.#bytesOf = bytesOf
    this.#isSame = same
  }

  /** estimated memory in use */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Returns the value cached under the key in this version, or reads it, given the previously cached entry.
   * Concurrent callers share one read. `asOf` is a time before the version was looked up: an entry of a later time is
   * fresh enough, whatever its version. Failed reads are not cached.
   */
  get(key: string, version: V, asOf: number, read: (before: CacheEntry<V, T> | undefined) => Promise<T>): Promise<T> {
    const found = this.#entries.get(key)
    const entry =
      found && (found.asOf > asOf || this.#isSame(found.version, version))
        ? found
        : { version, value: read(found), asOf, bytes: 0 }
    entry.asOf = Math.max(entry.asOf, asOf)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (entry !== found) {
      this.#bytes -= found?.bytes ?? 0
      entry.value.then(
        (value) => this.#addSize(key, entry, value),
        () => this.#entries.get(key) === entry && this.#entries.delete(key),
      )
    }
    return entry.value
  }

  #addSize(key: string, entry: SizedEntry<V, T>, value: T): void {
    if (this.#entries.get(key) !== entry) return
    entry.bytes = this.#bytesOf(value)
    this.#bytes += entry.bytes
    for (const [oldest, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return
      this.#entries.delete(oldest)
      this.#bytes -= bytes
    }
  }
}
