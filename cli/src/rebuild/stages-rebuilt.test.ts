import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openEmbedded } from '@hopper/storage/embedded'
import { provision } from '@hopper/api'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { auditOf, makeInstallation } from '../testing/installation.fixture.ts'
import { readConfig } from '../config/config.ts'
import { answersOf } from '../testing/answers.fixture.ts'
import { countPhases, definitionOrders, phases, withoutFunnels } from '../testing/changed-funnel.fixture.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'
import { rebuildInstallation } from './rebuild-main.ts'

const lanes = 2

/** Returns every row of the tables of stages, and the state of the past. */
function stagesOf(dir: string): string[] {
  const database = new DatabaseSync(join(dir, 'tables.db'), { readOnly: true })
  const tables = ['stage_users_by_date', 'stage_edges_by_date', 'stage_time_by_date']
  const rows = tables.flatMap((table) =>
    database
      .prepare(`SELECT * FROM ${table}`)
      .all()
      .map((row) => ({ table, ...row })),
  )
  database.close()
  return rows
    .filter((row) => !('hit' in row) || row.hit !== 0 || ('elapsed' in row && row.elapsed !== 0))
    .map((row) => JSON.stringify(row))
    .sort()
}

it('a rebuild gives the tables and answers of live counting, before and after each change of a funnel', async () => {
  await fc.assert(
    fc.asyncProperty(phases, definitionOrders, async (sent, order) => {
      await using installation = await makeInstallation(lanes)
      const { dir, storage } = installation
      await provision(storage.registry, withoutFunnels, 0)
      await countPhases(storage, sent.slice(0, order.length + 1), order)
      expect(await auditOf(storage)).toEqual([])
      await storage.close()
      const before = { tables: stagesOf(dir), answers: await answersOfDir(dir) }
      const config = readConfig(settingsOf.installation, { data: dir, lanes: String(lanes) }, {})
      await rebuildInstallation(config, undefined, {
        logger: createLogger('silent', 'rebuild'),
        progress: () => undefined,
      })
      expect({ tables: stagesOf(dir), answers: await answersOfDir(dir) }).toEqual(before)
    }),
    { numRuns: 3, seed: 11, endOnFailure: true },
  )
}, 240_000)

async function answersOfDir(dir: string): Promise<string[]> {
  const storage = await openEmbedded({ dir, lanes })
  try {
    const answers = await answersOf(storage)
    expect(answers.filter((answer) => !/ 200 /.test(answer))).toEqual([])
    return answers
  } finally {
    await storage.close()
  }
}
