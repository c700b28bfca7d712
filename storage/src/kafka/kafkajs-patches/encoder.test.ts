import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { repairEncoder, type Encoder } from './encoder.ts'

const require = createRequire(import.meta.url)

/** The class of kafkajs, loaded again, original or repaired. */
function encoderClass(repair: boolean): new () => Encoder {
  const path = require.resolve('kafkajs/src/protocol/encoder')
  delete require.cache[path]
  if (repair) repairEncoder()
  return require(path) as new () => Encoder
}

/** Number of moves to a larger buffer while writing a list of 64 encoders of 10 kB, and the size of the last buffer. */
function writingAList(Encoder: new () => Encoder): { buffers: number; bytes: number } {
  const list = Array.from({ length: 64 }, () => new Encoder().writeBuffer(Buffer.alloc(10_000, 1)))
  const written = new Encoder()
  const buffers = new Set<Buffer>()
  let { buf } = written
  Object.defineProperty(written, 'buf', { get: () => buf, set: (larger: Buffer) => void buffers.add((buf = larger)) })
  written.writeEncoderArray(list)
  return { buffers: buffers.size, bytes: buf.length }
}

describe('the encoder of kafkajs', () => {
  it('original: moves a growing list from buffer to buffer, which is the defect repaired here', () => {
    const { buffers, bytes } = writingAList(encoderClass(false))
    expect(buffers).toBeGreaterThan(3)
    expect(bytes).toBeGreaterThan(1_000_000)
  })

  it('repaired: takes one buffer for a list, hardly larger than the list', () => {
    const { buffers, bytes } = writingAList(encoderClass(true))
    expect(buffers).toBe(1)
    expect(bytes).toBeLessThan(650_000)
  })

  it('repaired: writes the same bytes for all sizes', () => {
    const [Original, Repaired] = [encoderClass(false), encoderClass(true)]
    const piece = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 500, maxLength: 3_000 }))
    const write = (Encoder: new () => Encoder, lists: readonly (readonly Uint8Array[])[]): Buffer => {
      const written = new Encoder()
      for (const list of lists) {
        written.writeEncoderArray(list.map((bytes) => new Encoder().writeBuffer(Buffer.from(bytes))))
        for (const bytes of list) written.writeBuffer(Buffer.from(bytes))
      }
      return written.buffer
    }
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 5 }), { maxLength: 6 }), (lists) => {
        expect(write(Repaired, lists).equals(write(Original, lists))).toBe(true)
      }),
    )
  })
})
