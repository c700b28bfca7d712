import { createRequire } from 'node:module'

/** The request writer of kafkajs 2.2.4, reduced to the internals needed here. */
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
 * kafkajs 2.2.4 rounds each buffer that has become too small up to a power of two and fills it with zeros. A batch of
 * messages is copied from one buffer to the next until it fits. This replacement grows a buffer to the needed size, at
 * least twice the previous size, and computes the total size of a list in advance.
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
