import { zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { contentSize } from './zstd-size.ts'

it('reads the unpacked size from a frame of any length', () => {
  for (const length of [1, 200, 255, 256, 257, 511, 65_535, 65_791, 65_792, 300_000, 5_000_000]) {
    expect(contentSize(zstdCompressSync(Buffer.alloc(length, 'ab')))).toBe(length)
  }
})

it('returns undefined for bytes that are not a frame', () => {
  expect(contentSize(new Uint8Array(0))).toBeUndefined()
  expect(contentSize(Buffer.from('not a frame of zstd'))).toBeUndefined()
})
