import { writeFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import terser from '@rollup/plugin-terser'
import ts from 'typescript'

/** Replaces `const` by `let`: `let` alone compresses better than both together. */
const lets = { name: 'lets', renderChunk: (code) => code.replaceAll('const ', 'let ') }

/** Writes dist/size.json next to the script and prints it; test/size.test.ts checks the budget. */
const size = {
  name: 'size',
  writeBundle(options, bundle) {
    const code = bundle['hopper.js'].code
    const bytes = {
      raw: Buffer.byteLength(code),
      gzip: gzipSync(code, { level: 9 }).length,
      brotli: brotliCompressSync(code).length,
    }
    writeFileSync('dist/size.json', `${JSON.stringify(bytes)}\n`)
    console.log(`hopper.js: ${bytes.raw} B, gzip ${bytes.gzip} B, brotli ${bytes.brotli} B`)
  },
}

/** Only strips types, so that a fresh clone needs no earlier build; `tsc -b` checks them. */
const typescript = {
  name: 'typescript',
  transform(code, id) {
    if (!id.endsWith('.ts')) return null
    return ts.transpileModule(code, {
      compilerOptions: { target: 'es2022', module: 'esnext', verbatimModuleSyntax: true },
    }).outputText
  },
}

export default {
  input: 'src/hopper.ts',
  output: { file: 'dist/hopper.js', format: 'iife', strict: false },
  plugins: [
    typescript,
    terser({
      ecma: 2020,
      toplevel: true,
      compress: {
        passes: 3,
        comparisons: false,
        unsafe_arrows: true,
        unsafe_comps: true,
        keep_fargs: false,
        hoist_props: true,
        pure_getters: true,
      },
      mangle: { toplevel: true },
      format: { comments: false },
    }),
    lets,
    size,
  ],
}
