interface Entry<T> {
  readonly version: string
  readonly value: Promise<T>
  bytes: number
}

/** What was read of each key and in which version, within so many bytes: what was asked for longest ago is forgotten. */
export class Kept<T> {
  readonly #bytesMax: number
  readonly #bytesOf: (value: T) => number
  readonly #entries = new Map<string, Entry<T>>()
  #bytes = 0

  constructor(bytesMax: number, bytesOf: (value: T) => number) {
    this.#bytesMax = bytesMax
    this.#bytesOf = bytesOf
  }

  /** What is kept under the key in this version, or read now; those who ask meanwhile wait for the same. What could not be read is not kept. */
  get(key: string, version: string, read: () => Promise<T>): Promise<T> {
    const found = this.#entries.get(key)
    const entry = found?.version === version ? found : { version, value: read(), bytes: 0 }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (entry !== found) {
      this.#bytes -= found?.bytes ?? 0
      entry.value.then((value) => this.#weigh(key, entry, value), () => this.#entries.get(key) === entry && this.#entries.delete(key))
    }
    return entry.value
  }

  #weigh(key: string, entry: Entry<T>, value: T): void {
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
