import { Readable } from 'node:stream'

const BUFFERED_BYTES = 256 * 1024

/** A stream fed part by part by a producer that can wait until the reader wants more. */
export class PartStream extends Readable {
  readonly #askers = new Set<() => void>()
  #handed = 0
  #wantsMore = true

  constructor() {
    super({ highWaterMark: BUFFERED_BYTES })
  }

  /** bytes that the reader has consumed */
  get taken(): number {
    return this.#handed - this.readableLength
  }

  hand(bytes: Uint8Array): void {
    if (this.destroyed) return
    this.#handed += bytes.byteLength
    this.#wantsMore = this.push(bytes)
  }

  /**
   * Tells whether the reader wants more: `false` if it has left, undefined if it did not read within the given time.
   */
  async wantsMore(withinMs: number): Promise<boolean | undefined> {
    if (this.destroyed) return false
    if (this.#wantsMore) return true
    await new Promise<void>((resolve) => {
      const said = (): void => {
        clearTimeout(timer)
        this.#askers.delete(said)
        resolve()
      }
      const timer = setTimeout(said, withinMs)
      this.#askers.add(said)
    })
    return this.destroyed ? false : this.#wantsMore || undefined
  }

  end(): void {
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#wantsMore = true
    for (const said of this.#askers) said()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error)
    for (const said of this.#askers) said()
  }
}
