import { createRequire } from 'node:module'

/** What kafkajs 2.2.4 writes a request with; of its internals, only what is needed here. */
export interface Encoder {
  buf: Buffer
  readonly offset: number
  readonly buffer: Buffer
  ensureAvailable(bytes: number): void
  writeBuffer(bytes: Buffer): this
  writeEncoderArray(encoders: readonly Encoder[]): this
}

const SPARE_BYTES = 64

/**
 * kafkajs 2.2.4 rounds each buffer that has become too small up to a power of two and fills it with zeros: a batch of
 * messages is copied from one to the next until it fits. Here a buffer becomes as large as it must be, at least twice
 * what it was, and of a list the sum is known before.
 */
export function repairEncoder(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/protocol/encoder') as {
    readonly prototype: Encoder
  }
  prototype.ensureAvailable = function (bytes) {
    const needed = this.offset + bytes
    if (needed <= this.buf.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed + SPARE_BYTES, 2 * this.buf.length))
    this.buf.copy(larger, 0, 0, this.offset)
    this.buf = larger
  }
  prototype.writeEncoderArray = function (encoders) {
    this.ensureAvailable(encoders.reduce((sum, { offset }) => sum + offset, 0))
    for (const { buffer } of encoders) this.writeBuffer(buffer)
    return this
  }
}
