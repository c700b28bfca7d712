import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { DatabaseSync } from 'node:sqlite'
import type { DiskPart, DiskUse } from '@hopper/contracts'
import { LOG_FILE, TABLES_FILE } from './intact/find-damage.ts'

/** Chunks whose sizes are read at once: a few milliseconds. */
const CHUNKS_PER_TURN = 200

/**
 * Measures a data directory. In `tables.db`, the archive has the sizes that its chunks record, the registry the length
 * of its records, and unused space is the free pages of the file; the rest are the tables.
 */
export async function measureDirectory(dir: string, database: DatabaseSync): Promise<DiskUse> {
  const sizes = new Map<DiskPart, number>()
  const add = (part: DiskPart, bytes: number): void => void sizes.set(part, (sizes.get(part) ?? 0) + bytes)
  let tables = 0
  for (const name of await readdir(dir)) {
    const { size, isFile } = await sizeOf(join(dir, name))
    if (!isFile) continue
    if (name.includes('.damaged-')) add('set_aside', size)
    else if (name === LOG_FILE || name.startsWith(`${LOG_FILE}-`)) add('log', size)
    else if (name === TABLES_FILE || name.startsWith(`${TABLES_FILE}-`)) tables += size
    else add('other', size)
  }
  const [archive, registry, unused] = [await archiveBytes(database), registryBytes(database), unusedBytes(database)]
  add('archive', Math.min(tables, archive))
  add('registry', registry)
  add('unused', unused)
  add('tables', Math.max(0, tables - archive - registry - unused))
  const { bsize, blocks, bavail } = await statfs(dir)
  const parts = [...sizes].map(([part, bytes]) => ({ part, bytes })).filter(({ bytes }) => bytes > 0)
  return { parts, free: bsize * bavail, size: bsize * blocks }
}

/** Returns the size of a file; a file that is removed while the directory is read has none. */
async function sizeOf(file: string): Promise<{ size: number; isFile: boolean }> {
  try {
    const found = await stat(file)
    return { size: found.size, isFile: found.isFile() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { size: 0, isFile: false }
    throw error
  }
}

/** Adds up the recorded sizes of cells, some chunks at a time, so that requests are answered in between. */
async function archiveBytes(database: DatabaseSync): Promise<number> {
  const statement = database.prepare(
    `SELECT max(id) AS last, coalesce(sum((SELECT sum(value) FROM json_each(summary, '$.columns'))), 0) AS bytes
     FROM (SELECT id, summary FROM chunks WHERE id > ? ORDER BY id LIMIT ${CHUNKS_PER_TURN})`,
  )
  let sum = 0
  for (let after: number | null = 0; after !== null; await turn()) {
    const { last, bytes } = statement.get(after) as { last: number | null; bytes: number }
    sum += bytes
    after = last
  }
  return sum
}

function registryBytes(database: DatabaseSync): number {
  const row = database.prepare('SELECT coalesce(sum(length(record)), 0) AS bytes FROM registry').get()
  return (row as { bytes: number }).bytes
}

function unusedBytes(database: DatabaseSync): number {
  const query = 'SELECT freelist_count * page_size AS bytes FROM pragma_freelist_count, pragma_page_size'
  return (database.prepare(query).get() as { bytes: number }).bytes
}
