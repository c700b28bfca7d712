/** A cache that evicts the least recently used values when it exceeds its bound in bytes. */
export class BoundedMap<V> {
  readonly #bytesMax: number
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): V | undefined {
    const found = this.#entries.get(key)
    if (!found) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, found)
    return found.value
  }

  /** Adds a value of about this many bytes, unless its key exists. */
  put(key: string, value: V, bytes: number): void {
    if (this.#entries.has(key) || bytes > this.#bytesMax) return
    this.#entries.set(key, { value, bytes: bytes + key.length * 2 })
    this.#bytes += bytes + key.length * 2
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return
      this.#entries.delete(oldest)
      this.#bytes -= entry.bytes
    }
  }
}
