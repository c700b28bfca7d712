import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { removalsContract } from '../../contract/removals.contract.ts'
import { tablesContract } from '../../contract/tables.contract.ts'
import { openEmbedded } from '../embedded.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-tables-'))
afterAll(() => rmSync(dir, { recursive: true }))

tablesContract('SQLite', () => openEmbedded({ dir, lanes: 4 }))
removalsContract('SQLite', () => openEmbedded({ dir, lanes: 4 }))
