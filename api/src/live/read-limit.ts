/** Bounds how many reads are under way; others wait in order. */
export class ReadLimit {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  async run<T>(read: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await read()
    } finally {
      // the place passes to the next one
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
