/** Pause after a reload, as a multiple of its duration: expensive reports are not reloaded all the time. */
const PAUSE_FACTOR = 4
const PAUSE_MS_MIN = 250

/**
 * Loads the reports that have changed, one load after another: reports that change during a load share the next one.
 */
export class Refresher {
  readonly #reload: (reports: ReadonlySet<string>) => Promise<boolean>
  readonly #pause: (ms: number) => Promise<void>
  #changed = new Set<string>()
  #isRunning = false

  /**
   * @param reload loads reports; resolves with whether one of them was being loaded already, from before the change,
   * and must be loaded again
   */
  constructor(reload: (reports: ReadonlySet<string>) => Promise<boolean>, pause = wait) {
    this.#reload = reload
    this.#pause = pause
  }

  /** Loads these reports, now or after the current load. */
  add(reports: Iterable<string>): void {
    for (const report of reports) this.#changed.add(report)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#changed.size > 0) {
      const reports = this.#changed
      this.#changed = new Set()
      const startedAt = performance.now()
      if (await this.#reload(reports)) this.#changed = new Set([...reports, ...this.#changed])
      await this.#pause(Math.max(PAUSE_MS_MIN, (performance.now() - startedAt) * PAUSE_FACTOR))
    }
    this.#isRunning = false
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
