import { readFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'

/** As tracker/test/size.test.ts allows. */
const BAR_BYTES = 1_700

/** Prints the bytes of the tracker with all features. */
export function trackerBench(): void {
  const script = readFileSync(new URL('../../../tracker/dist/hopper.js', import.meta.url))
  const brotli = brotliCompressSync(script).length
  console.log(
    `  tracker: raw ${script.length} B, gzip ${gzipSync(script, { level: 9 }).length} B, brotli ${brotli} B; ` +
      `bar ${BAR_BYTES} B ${brotli <= BAR_BYTES ? 'reached' : 'NOT REACHED'}`,
  )
}
