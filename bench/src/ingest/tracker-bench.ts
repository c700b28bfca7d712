import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'

/** Bytes of brotli: the bar, and what tracker/test/size.test.ts holds the builds to until the bar is reached. */
interface Budget {
  readonly bar: number
  readonly default: number
}

const packageFile = (name: string, file: string): string =>
  join(dirname(fileURLToPath(import.meta.resolve(name))), file)

/** The file that a page loads: for peers the one that their npm package ships, minified by them. */
const scripts: readonly { readonly name: string; readonly file: string }[] = [
  { name: 'Hopper', file: fileURLToPath(new URL('../../../tracker/dist/hopper.js', import.meta.url)) },
  { name: 'Plausible', file: packageFile('@plausible-analytics/tracker', 'plausible.js') },
  { name: 'OpenPanel', file: packageFile('@openpanel/web', 'src/tracker.global.js') },
]

interface Size {
  readonly name: string
  readonly raw: number
  readonly gzip: number
  readonly brotli: number
}

/** Returns the bytes of the tracker without options, and of those of peers. */
export function trackerSizes(): Size[] {
  return scripts.map(({ name, file }) => {
    const script = readFileSync(file)
    return {
      name,
      raw: script.length,
      gzip: gzipSync(script, { level: 9 }).length,
      brotli: brotliCompressSync(script).length,
    }
  })
}

/** Prints the bytes of the tracker without options, beside those of peers and the bar. */
export function trackerBench(): void {
  const sizes = trackerSizes()
  for (const { name, raw, gzip, brotli } of sizes)
    console.log(`  tracker: ${name.padEnd(9)} raw ${raw} B, gzip ${gzip} B, brotli ${brotli} B`)
  console.log('  tracker: Umami     not measured: no npm package has its script')
  const budget = JSON.parse(readFileSync(new URL('../../../tracker/budget.json', import.meta.url), 'utf8')) as Budget
  const { brotli } = sizes[0]!
  console.log(
    `  tracker: bar ${budget.bar} B ${brotli <= budget.bar ? 'reached' : 'NOT REACHED'}, held to ${budget.default} B`,
  )
}
