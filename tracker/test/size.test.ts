import { brotliCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { builtTracker } from './site.fixture.ts'

// 1,500 without the pointer type of interactions; 1,700 leaves room for it and for planned features.
it('fits into 1,700 bytes, compressed by brotli', () => {
  expect(brotliCompressSync(builtTracker()).length).toBeLessThanOrEqual(1_700)
})
