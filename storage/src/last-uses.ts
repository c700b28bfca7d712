/** Ids whose last note is remembered; beyond that all are forgotten, and noted again. */
const IDS_MAX = 20_000

/** Notes when things were last used, at most once in an interval for each. */
export class LastUses {
  readonly #intervalMs: number
  readonly #clock: () => number
  readonly #noted = new Map<string, number>()

  constructor(intervalMs: number, clock: () => number) {
    this.#intervalMs = intervalMs
    this.#clock = clock
  }

  /** Stores a use, unless one was stored shortly before. Never rejects: a later use is stored instead. */
  async note(id: string, store: (at: number) => Promise<unknown>): Promise<void> {
    const at = this.#clock()
    const noted = this.#noted.get(id)
    if (noted !== undefined && Math.abs(at - noted) < this.#intervalMs) return
    if (this.#noted.size >= IDS_MAX) this.#noted.clear()
    this.#noted.set(id, at)
    await store(at).catch(() => this.#noted.delete(id))
  }
}
