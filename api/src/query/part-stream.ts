import { Readable } from 'node:stream'

const BUFFERED_BYTES = 256 * 1024

/** A stream fed part by part by a producer that can wait until the reader wants more. */
export class PartStream extends Readable {
  readonly #waiters = new Set<() => void>()
  #delivered = 0
  #wantsMore = true

  constructor() {
    super({ highWaterMark: BUFFERED_BYTES })
  }

  /** bytes that the reader has consumed */
  get taken(): number {
    return this.#delivered - this.readableLength
  }

  deliver(bytes: Uint8Array): void {
    if (this.destroyed) return
    this.#delivered += bytes.byteLength
    this.#wantsMore = this.push(bytes)
  }

  /**
   * Returns whether the reader wants more: `false` if it has left, undefined if it did not read within the given time.
   */
  async wantsMore(withinMs: number): Promise<boolean | undefined> {
    if (this.destroyed) return false
    if (this.#wantsMore) return true
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, withinMs)
      this.#waiters.add(wake)
    })
    return this.destroyed ? false : this.#wantsMore || undefined
  }

  end(): void {
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#wantsMore = true
    for (const wake of this.#waiters) wake()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error)
    for (const wake of this.#waiters) wake()
  }
}
