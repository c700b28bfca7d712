import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { App } from '@hopper/contracts'
import { readMapping, type Mapping } from '../import/from/mapping.ts'
import type { FoundFile } from './external-file.ts'

/** Maximum files of one app; a directory with more has to be tidied up first. */
const FILES_MAX = 10_000
const MAPPING_FILE = 'mapping.json'
const pattern = /^[^.].*\.(ndjson|jsonl|csv)(\.gz)?$/

/** Files of an app's directory, in the order of their names, and whether all could be looked at. */
export interface FoundFiles {
  readonly files: readonly FoundFile[]
  readonly isComplete: boolean
}

/** Returns the names of the directories in a directory: each is the id of an app. */
export async function appDirectories(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : [])).sort()
}

/**
 * Finds the regular files of an app's directory. Links are skipped: otherwise, anybody who may write here could have
 * any file of the machine read.
 * @throws HopperError HOP_CONFIG for an invalid mapping
 */
export async function findFiles(dir: string, app: App): Promise<FoundFiles> {
  const names = await readdir(dir)
  const mapping = names.includes(MAPPING_FILE) ? await readMapping(join(dir, MAPPING_FILE)) : undefined
  const wanted = names.filter((name) => pattern.test(name)).sort()
  const files: FoundFile[] = []
  for (const name of wanted.slice(0, FILES_MAX)) {
    const path = join(dir, name)
    // A file that is gone again was moved by its writer.
    const found = await lstat(path).catch(() => undefined)
    if (found?.isFile()) files.push(fileOf(path, found, app, mapping))
  }
  return { files, isComplete: wanted.length <= FILES_MAX }
}

function fileOf(path: string, found: Stats, app: App, mapping: Mapping | undefined): FoundFile {
  const { dev, ino, size, mtimeMs } = found
  return { path, app, mapping, device: String(dev), inode: String(ino), size, mtimeMs }
}
