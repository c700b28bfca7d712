import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize } from 'node:v8'
import type { Dataset } from './dataset.ts'

const main = fileURLToPath(new URL(`./dataset-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

/** Generates the events into a temporary folder, in another process. */
export function builtDataset(rows: number): Dataset {
  const dir = join(tmpdir(), 'hopper-bench', `peers-${rows}`)
  const file = join(dir, 'dataset')
  mkdirSync(dir, { recursive: true })
  execFileSync(process.execPath, [...process.execArgv, main, String(rows), dir, file], { stdio: 'inherit' })
  return deserialize(readFileSync(file)) as Dataset
}
