/** Batches up to this size never wait: even many of them together are small. */
const SMALL_BYTES = 64_000

interface Waiting {
  readonly bytes: number
  readonly start: () => void
}

/**
 * Bounds the bytes of messages that are processed concurrently. One batch may always proceed, however large; the others
 * wait in their order.
 */
export class MessageGate {
  readonly bytesMax: number
  #bytes = 0
  #waiting: Waiting[] = []

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** bytes of messages in flight */
  get bytes(): number {
    return this.#bytes
  }

  /** number of waiting batches */
  get waiting(): number {
    return this.#waiting.length
  }

  async during<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (!this.#fits(bytes)) await new Promise<void>((start) => this.#waiting.push({ bytes, start }))
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
      next.start()
    }
  }
}
