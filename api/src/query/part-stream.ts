import { Readable } from 'node:stream'

/** A stream whose parts are handed in one by one: `hand` resolves when the reader wants more, false when it has left. */
export class PartStream extends Readable {
  #wanted: ((more: boolean) => void) | undefined

  constructor() {
    super({ highWaterMark: 256 * 1024 })
  }

  hand(bytes: Uint8Array): Promise<boolean> {
    if (this.destroyed) return Promise.resolve(false)
    if (this.push(bytes)) return Promise.resolve(true)
    return new Promise((resolve) => (this.#wanted = resolve))
  }

  end(): void {
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#answer(true)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#answer(false)
    done(error)
  }

  #answer(more: boolean): void {
    const wanted = this.#wanted
    this.#wanted = undefined
    wanted?.(more)
  }
}
