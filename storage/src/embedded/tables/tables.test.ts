import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { expiryContract } from '../../contract/expiry.contract.ts'
import { removalsContract } from '../../contract/removals.contract.ts'
import { tablesContract } from '../../contract/tables.contract.ts'
import { openEmbedded } from '../embedded.ts'

const dirs = ['tables', 'removals', 'expiry'].map((name) => mkdtempSync(join(tmpdir(), `hopper-${name}-`)))
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true })))

tablesContract('SQLite', () => openEmbedded({ dir: dirs[0]!, lanes: 4 }))
removalsContract('SQLite', () => openEmbedded({ dir: dirs[1]!, lanes: 4 }))
expiryContract('SQLite', () => openEmbedded({ dir: dirs[2]!, lanes: 4 }))
