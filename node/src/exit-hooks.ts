/** clients that deliver their queued events because of a SIGTERM */
let closing = 0

/** Delivers queued events when the process ends: when it has nothing left to do, and if configured on SIGTERM. */
export class ExitHooks {
  readonly #close: () => Promise<void>
  readonly #hasWaiting: () => boolean

  constructor(
    close: () => Promise<void>,
    hasWaiting: () => boolean,
    { flushOnSigterm }: { readonly flushOnSigterm: boolean },
  ) {
    this.#close = close
    this.#hasWaiting = hasWaiting
    process.on('beforeExit', this.#onBeforeExit)
    if (flushOnSigterm) process.once('SIGTERM', this.#onSigterm)
  }

  remove(): void {
    process.off('beforeExit', this.#onBeforeExit)
    process.off('SIGTERM', this.#onSigterm)
  }

  /**
   * Closes the client permanently, so that even a host that tracks an event whenever it is about to exit does exit.
   * Waits for other handlers of the same event, which may still track.
   */
  readonly #onBeforeExit = (): void =>
    process.nextTick(() => {
      if (this.#hasWaiting()) void this.#close()
    })

  readonly #onSigterm = (): void => {
    closing++
    void this.#close().then(() => {
      // Ends the process as SIGTERM does without a handler. A host with handlers of its own decides itself.
      if (--closing === 0 && process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
    })
  }
}
