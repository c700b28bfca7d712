import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { folds, foldsByApp, keptTables } from './clear-folds.ts'
import { openEmbedded } from '../embedded.ts'

it('classifies every table by whether it can be rebuilt from the log', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-folds-'))
  await (await openEmbedded({ dir, lanes: 1 })).close()
  const database = new DatabaseSync(join(dir, 'tables.db'))
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name))
  expect([...folds, ...keptTables].sort()).toEqual(tables.sort())
  const byApp = tables.filter((table) =>
    database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .some(({ name }) => name === 'app'),
  )
  expect([...foldsByApp].sort()).toEqual(byApp)
  database.close()
  rmSync(dir, { recursive: true })
})
