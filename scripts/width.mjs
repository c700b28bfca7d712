import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tools.mjs'

const WIDTH = 120
const skipped = new Set(['node_modules', 'dist', '.build'])
const folders = ['*', '*/{src,test}/**', 'scripts']

/** Prints lines of code that are too long: the formatter leaves comments and texts as they are. */
const files = globSync(
  folders.map((folder) => `${folder}/*.{ts,tsx,mjs,cjs}`),
  { cwd: root, exclude: (name) => skipped.has(name) },
)
if (files.length < 500) throw new Error(`only ${files.length} files were found`)
for (const file of new Set(files)) {
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .forEach((line, at) => {
      if (line.length <= WIDTH) return
      console.error(`${file}:${at + 1} has ${line.length} columns, ${WIDTH} are allowed`)
      process.exitCode = 1
    })
}
