const BYTES_MAX = 32 * 1024 * 1024

/** Answers that can not change as long as the archive says the same, by what they depend on. The least recently used go. */
export class SettledAnswers {
  readonly #answers = new Map<string, { readonly result: unknown; readonly bytes: number }>()
  #bytes = 0

  get(key: string): unknown {
    const found = this.#answers.get(key)
    if (!found) return undefined
    this.#answers.delete(key)
    this.#answers.set(key, found)
    return found.result
  }

  put(key: string, result: unknown): void {
    const bytes = (JSON.stringify(result).length + key.length) * 2
    if (bytes > BYTES_MAX / 8 || this.#answers.has(key)) return
    this.#answers.set(key, { result, bytes })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#answers) {
      if (this.#bytes <= BYTES_MAX) return
      this.#answers.delete(oldest)
      this.#bytes -= entry.bytes
    }
  }
}
