import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ArchivedEvent } from '@hopper/contracts'
import { counterTableNames } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { archivedEvents } from '../installation/archived-events.ts'
import { auditOf, configOf, makeInstallation, traffic, type Installation } from '../testing/installation.fixture.ts'
import { tablesOf } from '../testing/tables-of.fixture.ts'
import { createLogger } from '../logging/logger.ts'
import { rebuildAndKill } from './rebuild-and-kill.fixture.ts'
import { rebuildInstallation } from './rebuild-main.ts'

const [sent] = fc.sample(traffic, { numRuns: 20, seed: 7 }).filter((envelopes) => envelopes.length > 30)
const lanes = 2

it('produces the same tables and the same archive, whatever their damage', async () => {
  await using installation = await openFilled()
  const { dir } = installation
  const before = { tables: tablesOf(dir), events: await eventsOf(dir) }
  damage(dir)
  expect(tablesOf(dir)).not.toEqual(before.tables)
  await rebuild(dir)
  expect({ tables: tablesOf(dir), events: await eventsOf(dir) }).toEqual(before)
})

it('fills the archive of a data directory that predates it', async () => {
  await using installation = await openFilled()
  const before = await eventsOf(installation.dir)
  const database = new DatabaseSync(join(installation.dir, 'tables.db'))
  database.exec(
    'DROP TABLE chunks; DROP TABLE chunk_cells; DROP TABLE archived; ' +
      'DROP TABLE seen_by_date; CREATE TABLE seen_by_date (id TEXT)',
  )
  database.close()
  await rebuild(installation.dir)
  expect(await eventsOf(installation.dir)).toEqual(before)
  const storage = await openEmbedded({ dir: installation.dir, lanes })
  expect(await auditOf(storage)).toEqual([])
  await storage.close()
})

it('rebuilds one app without recounting the others', async () => {
  await using installation = await openFilled()
  const { dir } = installation
  const before = tablesOf(dir)
  damage(dir)
  const damaged = tablesOf(dir)
  await rebuild(dir, 'berlin')
  const ofApp = (rows: readonly string[], app: string): string[] => rows.filter((row) => row.includes(`"${app}"`))
  expect(ofApp(tablesOf(dir), 'berlin')).toEqual(ofApp(before, 'berlin'))
  const counted = (rows: readonly string[]): string[] =>
    ofApp(rows, 'kathmandu').filter((row) => counterTableNames.some((table) => row.startsWith(`["${table}"`)))
  expect(counted(tablesOf(dir))).toEqual(counted(damaged))
})

it('refuses while another process has the directory, and for an unknown app', async () => {
  await using installation = await makeInstallation()
  await expect(rebuild(installation.dir)).rejects.toThrow('in use by another Hopper')
  await installation.storage.close()
  await expect(rebuild(installation.dir, 'nobody')).rejects.toThrow('There is no app "nobody"')
  await expect(rebuild(`${installation.dir}/missing`)).rejects.toThrow('There is no data directory')
})

it('completes when run again after it was killed', async () => {
  await using installation = await openFilled()
  const { dir } = installation
  const before = { tables: tablesOf(dir), events: await eventsOf(dir) }
  damage(dir)
  const damaged = JSON.stringify(tablesOf(dir))
  const killed = []
  for (const afterMs of [0, 30, 90, 200, 400, 700]) {
    killed.push(await rebuildAndKill({ data: dir, lanes: String(lanes) }, afterMs))
    // The old or the new state, and never less.
    const now = tablesOf(dir)
    expect([damaged, JSON.stringify(before.tables)]).toContain(JSON.stringify(now))
  }
  expect(killed).toContain(true)
  expect(await rebuildAndKill({ data: dir, lanes: String(lanes) }, Infinity)).toBe(false)
  expect({ tables: tablesOf(dir), events: await eventsOf(dir) }).toEqual(before)
}, 60_000)

/** A closed directory with counted traffic. */
async function openFilled(): Promise<Installation> {
  const installation = await makeInstallation(lanes)
  await installation.storage.log.append(sent!)
  await installation.count()
  await installation.storage.close()
  return installation
}

async function rebuild(dir: string, app?: string): Promise<void> {
  await rebuildInstallation(configOf(dir, lanes), app, {
    logger: createLogger('silent', 'rebuild'),
    progress: () => undefined,
  })
}

function damage(dir: string): void {
  const database = new DatabaseSync(join(dir, 'tables.db'))
  database.exec(`UPDATE activity_by_date SET events = events + 1; DELETE FROM users_by_date;
    UPDATE applied SET position = position + 5; DELETE FROM person_by_device;
    UPDATE page_views_by_date SET hit = 0; UPDATE sessions_by_id SET start = 0`)
  database.close()
}

/** Returns every event of the archive. */
async function eventsOf(dir: string): Promise<ArchivedEvent[]> {
  const storage = await openEmbedded({ dir, lanes })
  const events: ArchivedEvent[] = []
  for (const app of ['berlin', 'kathmandu']) {
    for (let lane = 0; lane < lanes; lane++) {
      for await (const some of archivedEvents(
        storage.archive!,
        app,
        lane,
        { from: 0, to: Number.MAX_SAFE_INTEGER },
        Infinity,
      ))
        events.push(...some)
    }
  }
  await storage.close()
  return events.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}
