import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { archiveContract } from '../contract/archive.contract.ts'
import { EmbeddedArchive } from './archive.ts'
import { EmbeddedLanes } from './lanes.ts'
import { openDatabase } from './sqlite.ts'
import { prepareTables } from './table-schema.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-archive-'))
afterAll(() => rmSync(dir, { recursive: true }))

archiveContract('SQLite', async () => {
  const file = join(dir, 'tables.db')
  const database = openDatabase(file)
  prepareTables(database)
  const lanes = new EmbeddedLanes(database, 4)
  const archive = new EmbeddedArchive(database, file, lanes)
  return {
    archive, lanes,
    close: async () => {
      await archive.close()
      database.close()
    },
  }
})
