import { createRequire } from 'node:module'
import type { PatchedMethods } from './patched-methods.ts'

/** The request writer of kafkajs, reduced to the internals needed here. */
export interface Encoder {
  buf: Buffer
  readonly offset: number
  readonly buffer: Buffer
  ensureAvailable(bytes: number): void
  writeBuffer(bytes: Buffer): this
  writeEncoderArray(encoders: readonly Encoder[]): this
}

/** @see PatchedMethods */
export const patched: PatchedMethods = {
  version: '2.2.4',
  module: 'kafkajs/src/protocol/encoder',
  methods: {
    ensureAvailable: '5aa16d1fa42902216d6e3f6dc6a63250a3cea1be85abbdea3d6b4f7740575448',
    writeEncoderArray: '75dc96b234fd395a3989011a2623ffc71bf6901b3f9a4f29111219c9947e42e3',
  },
}

const SPARE_BYTES = 64

/**
 * kafkajs rounds each buffer that has become too small up to a power of two and fills it with zeros. A batch of
 * messages is copied from one buffer to the next until it fits. This replacement grows a buffer to the needed size, at
 * least twice the previous size, and computes the total size of a list in advance.
 */
export function repairEncoder(): void {
  const { prototype } = createRequire(import.meta.url)(patched.module) as {
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
