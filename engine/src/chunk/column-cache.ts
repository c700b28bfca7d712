/** Decoded columns by use: the least recently used go when the bound of bytes is passed. */
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

  /**
   * Whether the value of this key is at hand. It counts as a use, so that what is about to be read is not the next to
   * go.
   */
  has(key: string): boolean {
    const found = this.#entries.get(key)
    if (!found) return false
    this.#entries.delete(key)
    this.#entries.set(key, found)
    return true
  }

  /** The cached value of this key, else what `decode` makes. One larger than the bound is handed out and not kept. */
  get<T extends object>(key: string, decode: () => { readonly value: T; readonly bytes: number }): T {
    const found = this.#entries.get(key)
    if (found) {
      this.#entries.delete(key)
      this.#entries.set(key, found)
      return found.value as T
    }
    const made = decode()
    if (made.bytes <= this.bytesMax) {
      this.#entries.set(key, made)
      this.#bytes += made.bytes
      this.#shrink()
    }
    return made.value
  }

  #shrink(): void {
    for (const [key, { bytes }] of this.#entries) {
      if (this.#bytes <= this.bytesMax) return
      this.#entries.delete(key)
      this.#bytes -= bytes
    }
  }
}
