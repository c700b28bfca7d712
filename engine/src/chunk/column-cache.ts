/** LRU cache of decoded columns, bounded in bytes. */
export class ColumnCache {
  readonly bytesMax: number
  #bytes = 0
  readonly #entries = new Map<string, { readonly value: object; readonly bytes: number }>()

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Returns whether a key is cached. Counts as a use, so that a value about to be read is not evicted next. */
  has(key: string): boolean {
    const found = this.#entries.get(key)
    if (!found) return false
    this.#entries.delete(key)
    this.#entries.set(key, found)
    return true
  }

  /** Returns the cached value of a key, or decodes it. A value larger than `bytesMax` is returned but not cached. */
  get<T extends object>(key: string, decode: () => { readonly value: T; readonly bytes: number }): T {
    const found = this.#entries.get(key)
    if (found) {
      this.#entries.delete(key)
      this.#entries.set(key, found)
      return found.value as T
    }
    const decoded = decode()
    if (decoded.bytes <= this.bytesMax) {
      this.#entries.set(key, decoded)
      this.#bytes += decoded.bytes
      this.#shrink()
    }
    return decoded.value
  }

  #shrink(): void {
    for (const [key, { bytes }] of this.#entries) {
      if (this.#bytes <= this.bytesMax) return
      this.#entries.delete(key)
      this.#bytes -= bytes
    }
  }
}
