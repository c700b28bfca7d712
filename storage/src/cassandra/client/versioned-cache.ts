/** What was read, in which version, and a moment whose changes are all in it (on the clock of `performance.now()`). */
export interface KeptEntry<V, T> {
  readonly version: V
  readonly value: Promise<T>
  readonly asOf: number
}

interface Weighed<V, T> extends KeptEntry<V, T> {
  asOf: number
  bytes: number
}

/**
 * What was read of each key and in which version, within so many bytes: what was asked for longest ago is forgotten.
 */
export class VersionedCache<V, T> {
  readonly #bytesMax: number
  readonly #bytesOf: (value: T) => number
  readonly #same: (a: V, b: V) => boolean
  readonly #entries = new Map<string, Weighed<V, T>>()
  #bytes = 0

  constructor(bytesMax: number, bytesOf: (value: T) => number, same: (a: V, b: V) => boolean = Object.is) {
    this.#bytesMax = bytesMax
    this.#bytesOf = bytesOf
    this.#same = same
  }

  /** about how much memory this takes */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * What is kept under the key in this version, or read now, with what was kept before at hand; those who ask meanwhile
   * wait for the same. `asOf` is a moment before the version was looked up: what is kept of a later moment is new
   * enough, whatever its version. What could not be read is not kept.
   */
  get(key: string, version: V, asOf: number, read: (before: KeptEntry<V, T> | undefined) => Promise<T>): Promise<T> {
    const found = this.#entries.get(key)
    const entry =
      found && (found.asOf > asOf || this.#same(found.version, version))
        ? found
        : { version, value: read(found), asOf, bytes: 0 }
    entry.asOf = Math.max(entry.asOf, asOf)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (entry !== found) {
      this.#bytes -= found?.bytes ?? 0
      entry.value.then(
        (value) => this.#weigh(key, entry, value),
        () => this.#entries.get(key) === entry && this.#entries.delete(key),
      )
    }
    return entry.value
  }

  #weigh(key: string, entry: Weighed<V, T>, value: T): void {
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
