import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { eventLogContract } from '../contract/event-log.contract.ts'
import { lanesContract } from '../contract/lanes.contract.ts'
import { registryContract } from '../contract/registry.contract.ts'
import { openEmbedded } from './embedded.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-embedded-'))
const make = (): ReturnType<typeof openEmbedded> => openEmbedded({ dir, lanes: 4 })
afterAll(() => rmSync(dir, { recursive: true }))

eventLogContract('SQLite', make)
lanesContract('SQLite', make)
registryContract('SQLite', make)

it('gives the directory to one owner, and refuses another number of lanes', async () => {
  const storage = await make()
  await expect(make()).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await storage.close()
  await expect(openEmbedded({ dir, lanes: 5 })).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await (await make()).close()
})
