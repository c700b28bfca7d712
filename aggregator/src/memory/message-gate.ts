/** A batch as small as this never waits: many of them together are still little. */
const SMALL_BYTES = 64_000

interface Waiting {
  readonly bytes: number
  readonly begin: () => void
}

/**
 * Bounds the bytes of messages that are worked on at once. One batch may always go on, however large; the others wait
 * in their order.
 */
export class MessageGate {
  readonly bytesMax: number
  #bytes = 0
  #waiting: Waiting[] = []

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** of messages under way */
  get bytes(): number {
    return this.#bytes
  }

  /** batches that wait */
  get waiting(): number {
    return this.#waiting.length
  }

  async during<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (!this.#fits(bytes)) await new Promise<void>((begin) => this.#waiting.push({ bytes, begin }))
    else this.#bytes += bytes
    try {
      return await work()
    } finally {
      this.#bytes -= bytes
      this.#admit()
    }
  }

  #fits(bytes: number): boolean {
    return (
      bytes <= SMALL_BYTES || this.#bytes === 0 || (this.#waiting.length === 0 && this.#bytes + bytes <= this.bytesMax)
    )
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next && (this.#bytes === 0 || this.#bytes + next.bytes <= this.bytesMax);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#bytes += next.bytes
      next.begin()
    }
  }
}
