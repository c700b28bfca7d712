import { brotliCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { built } from './site.ts'

it('fits into 1,500 bytes, compressed by brotli', () => {
  expect(brotliCompressSync(built()).length).toBeLessThanOrEqual(1_500)
})
