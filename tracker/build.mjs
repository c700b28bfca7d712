import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { rollup } from 'rollup'
import { minify } from 'terser'
import ts from 'typescript'

const dist = join(import.meta.dirname, 'dist')
/** Options that decide what is in a build, in the order of their names. */
const names = [
  'consent',
  'cookieless',
  'cross_domains',
  'new_session_at_campaign',
  'respect_privacy_signals',
  'subdomains',
]
/** Without ids of its own, the script has none to share, and the server knows the sessions. */
const notCookieless = new Set(['cross_domains', 'new_session_at_campaign', 'subdomains'])
/** Options that are in no build: the configuration says what a page is. */
const withoutCode = ['hash_routing']
/** Bytes of brotli: what builds may have (test/size.test.ts holds them to that), and the bar that they should reach. */
const budget = JSON.parse(readFileSync(join(import.meta.dirname, 'budget.json'), 'utf8'))

/**
 * Only strips types, so that a fresh clone needs no earlier build; `tsc -b` checks them. In the script, options are
 * constants that each build replaces.
 */
const typescript = (constants) => ({
  name: 'typescript',
  transform(code, id) {
    if (!id.endsWith('.ts')) return null
    const compilerOptions = { target: 'es2022', module: 'esnext', verbatimModuleSyntax: true }
    const { outputText } = ts.transpileModule(code, { compilerOptions })
    return constants ? outputText.replace(/\boptions\.(\w+)/g, 'OPTION_$1') : outputText
  },
})

async function bundle(file, format, constants) {
  const build = await rollup({ input: join(import.meta.dirname, 'src', file), plugins: [typescript(constants)] })
  const { output } = await build.generate({ format, strict: false })
  return output[0].code
}

async function minified(bundled, chosen) {
  const { code } = await minify(
    bundled.replace(/\bOPTION_(\w+)/g, (_, name) => String(chosen.includes(name))),
    {
      ecma: 2020,
      toplevel: true,
      compress: {
        passes: 3,
        comparisons: false,
        // no code here depends on what these change: built-ins that a page replaces, arrows as constructors
        unsafe: true,
        unsafe_arrows: true,
        keep_fargs: false,
        hoist_props: true,
        pure_getters: true,
      },
      mangle: { toplevel: true },
      format: { comments: false },
    },
  )
  // `let` alone compresses better than both together
  return code.replaceAll('const ', 'let ')
}

/** Returns the options of each build by its name, and the name of the build for each set of options. */
export function variants() {
  const builds = new Map()
  const index = {}
  const all = [...names, ...withoutCode]
  for (let set = 0; set < 2 ** all.length; set++) {
    const chosen = all.filter((_, bit) => set & (2 ** bit))
    const used = chosen.filter(
      (name) => names.includes(name) && !(chosen.includes('cookieless') && notCookieless.has(name)),
    )
    builds.set(nameOf(used), used)
    index[nameOf(chosen)] = nameOf(used)
  }
  return { builds, index }
}

function nameOf(chosen) {
  return chosen.length === 0 ? 'default' : [...chosen].sort().join('+')
}

/** Builds all scripts, their index, the picker, the package, and a table of sizes. */
async function build() {
  const script = await bundle('hopper.ts', 'iife', true)
  const { builds, index } = variants()
  const sizes = {}
  rmSync(join(dist, 'variants'), { recursive: true, force: true })
  mkdirSync(join(dist, 'variants'), { recursive: true })
  for (const [name, chosen] of builds) {
    const code = await minified(script, chosen)
    sizes[name] = bytesOf(code)
    writeFileSync(join(dist, 'variants', `${name}.js`), code)
    if (chosen.length === 0) writeFileSync(join(dist, 'hopper.js'), code)
  }
  writeFileSync(join(dist, 'picker.js'), await minified(await bundle('picker/picker.ts', 'es', false), []))
  const files = Object.entries(index).map(([name, build]) => [name, `variants/${build}.js`])
  writeFileSync(join(dist, 'package.js'), await bundle('package.ts', 'es', false))
  writeFileSync(join(dist, 'size.json'), `${JSON.stringify(sizes, null, 1)}\n`)
  writeFileSync(join(dist, 'variants.json'), `${JSON.stringify(Object.fromEntries(files))}\n`)
  printTable(sizes)
}

function bytesOf(code) {
  return {
    raw: Buffer.byteLength(code),
    gzip: gzipSync(code, { level: 9 }).length,
    brotli: brotliCompressSync(code).length,
  }
}

function printTable(sizes) {
  const rows = ['default', ...names].map((name) => [name, sizes[name]])
  rows.push(['the largest', Object.values(sizes).reduce((most, size) => (size.brotli > most.brotli ? size : most))])
  for (const [name, { raw, gzip, brotli }] of rows)
    console.log(`${name.padEnd(24)} ${raw} B, gzip ${gzip} B, brotli ${brotli} B`)
  const over = sizes.default.brotli - budget.bar
  console.log(`bar ${budget.bar} B ${over > 0 ? `NOT REACHED: default is ${over} B over it` : 'reached'}`)
}

await build()
