import { brotliCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { built } from './site.ts'

// DESIGN section 10 allows 1,700: 1,500 without the pointer type, the rest for that and for future needs.
it('fits into 1,700 bytes, compressed by brotli', () => {
  expect(brotliCompressSync(built()).length).toBeLessThanOrEqual(1_700)
})
