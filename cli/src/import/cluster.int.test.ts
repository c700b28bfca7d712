import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aggregator } from '@hopper/aggregator'
import { provision } from '@hopper/api'
import type { Event } from '@hopper/contracts'
import { emptyBatch, type Appended, type Storage } from '@hopper/storage'
import { migrate } from '@hopper/storage/cassandra'
import { openEmbedded } from '@hopper/storage/embedded'
import '@hopper/storage/contract/engines'
import * as fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { clusterSettings } from '../testing/cluster.fixture.ts'
import { auditOf, RANGE, traffic } from '../testing/installation.fixture.ts'
import { openInstallation } from '../installation/open-installation.ts'
import { readConfig } from '../config/config.ts'
import { createLogger } from '../logging/logger.ts'
import { countAll } from '../rebuild/count-all.ts'
import { rebuildInstallation } from '../rebuild/rebuild-main.ts'
import { settingsOf } from '../config/settings.ts'
import { cassandraSettings } from '../installation/open-storage.ts'
import { answersOf, dumpOf, readDump, registryFile } from '../testing/answers.fixture.ts'

const engines = inject('engines')
const name = `hopper_cli_${randomBytes(6).toString('hex')}`
const [sample] = fc.sample(traffic, { numRuns: 20, seed: 5 }).filter((envelopes) => envelopes.length > 20)

describe.skipIf(!engines)('Kafka and Cassandra', () => {
  it('import a standalone installation, are repaired, rebuilt and exported, and always answer the same', async () => {
    const config = readConfig(settingsOf.installation, clusterSettings(engines!, name, 3), {})
    await using dirs = new AsyncDisposableStack()
    const source = await standalone(dirs, 2)
    await provision(source.registry, registryFile, 0)
    await source.log.append(sample!)
    await count(source)
    const expected = await answersOf(source)

    await migrate(cassandraSettings(config))
    const cluster = await openInstallation(config)
    dirs.defer(() => cluster.close())
    await readDump(cluster, await dumpOf(source))
    await count(cluster)
    expect(await answersOf(cluster)).toEqual(expected)
    expect(await auditOf(cluster)).toEqual([])

    const broken = await breakCounters(cluster)
    expect(await answersOf(cluster)).not.toEqual(expected)
    expect((await auditOf(cluster)).map(({ drift: { table, date } }) => `${table} ${date}`)).toEqual([broken])
    expect((await auditOf(cluster, { repair: true })).map(({ repaired }) => repaired)).toEqual([true])
    expect(await auditOf(cluster)).toEqual([])
    expect(await answersOf(cluster)).toEqual(expected)

    await breakCounters(cluster)
    await breakVisitors(cluster)
    const rebuilt = await openInstallation(config)
    dirs.defer(() => rebuilt.close())
    expect(await answersOf(rebuilt)).not.toEqual(expected)
    await rebuildInstallation(config, undefined, { logger: createLogger('silent', 'test'), progress: () => undefined })
    expect(await answersOf(rebuilt)).toEqual(expected)
    expect(await auditOf(rebuilt)).toEqual([])

    await auditWhileCounting(rebuilt)

    const back = await standalone(dirs, 1)
    await readDump(back, await dumpOf(rebuilt))
    await count(back)
    expect(await answersOf(back)).toEqual(await answersOf(rebuilt))
  }, 600_000)
})

/** Audits while an aggregator counts traffic. Its lanes cannot be taken for a repair. */
async function auditWhileCounting(storage: Storage): Promise<void> {
  const aggregator = new Aggregator({ ...storage, owner: 'counting' })
  await aggregator.start()
  let sending = true
  const sent = (async () => {
    for (let n = 0; sending; n++) {
      const renamed = (events: readonly Event[]): Event[] =>
        events.map((event) => ({ ...event, event_id: `${n} ${event.event_id}` }))
      const places = await storage.log.append(sample!.map((each) => ({ ...each, events: renamed(each.events) })))
      // Sends the next batch when this one is counted. Otherwise a faster log would mean more batches, and all of them
      // are counted again below.
      await expect.poll(() => areCounted(storage, places), { timeout: 60_000, interval: 20 }).toBe(true)
    }
  })()
  const dates = { from: '2026-03-28', to: '2026-03-31' }
  for (let times = 0; times < 2; times++) expect(await auditOf(storage, dates)).toEqual([])
  sending = false
  await sent
  await expect(auditOf(storage, { repair: true })).rejects.toThrow('belongs to another owner')
  await aggregator.close()
  await count(storage)
  expect(await auditOf(storage)).toEqual([])
}

async function areCounted({ lanes }: Storage, places: readonly Appended[]): Promise<boolean> {
  const positions = await lanes.positions()
  return places.every(({ lane, position }) => (positions[lane] ?? 0) > position)
}

function count(storage: Storage): Promise<void> {
  return countAll(storage, createLogger('silent', 'test'), () => undefined)
}

async function standalone(dirs: AsyncDisposableStack, lanes: number): Promise<Storage> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-move-'))
  const storage = await openEmbedded({ dir, lanes })
  dirs.defer(async () => {
    await storage.close()
    await rm(dir, { recursive: true })
  })
  return storage
}

/** Adds counts that no event accounts for to one counter row; returns where. */
async function breakCounters({ reader, writer, lanes }: Storage): Promise<string> {
  const [row] = await reader.counters('activity_by_date', 'berlin', [
    RANGE.from,
    '2026-03-27',
    '2026-03-28',
    '2026-03-29',
    '2026-03-30',
  ])
  const partition = { table: 'activity_by_date' as const, app: 'berlin', date: row!.date }
  const lease = await lanes.acquire(0, 'breaker')
  const [applied] = await writer.applied(0, [partition])
  const counters = [{ ...partition, from: applied!, to: applied!, rows: [{ key: row!.key, deltas: [7, 0] }] }]
  await writer.apply(lease, { ...emptyBatch, lane: 0, counters })
  await lanes.release(lease)
  return `${partition.table} ${partition.date}`
}

/** Adds a visitor without any event, and removes one that has events. */
async function breakVisitors({ reader, writer, lanes }: Storage): Promise<void> {
  const lease = await lanes.acquire(1, 'breaker')
  for (const date of ['2026-03-28', '2026-03-29', '2026-03-30']) {
    const partition = { table: 'users_by_date' as const, app: 'berlin', date }
    const [row] = await reader.visitorPartition(1, partition)
    const visitors = [{ ...partition, rows: [{ key: row?.key ?? [5], visitor: { user: '', device: 'ghost' } }] }]
    await writer.apply(lease, { ...emptyBatch, lane: 1, visitors })
    if (row) await writer.removeVisitors(lease, [{ ...partition, rows: [row] }])
  }
  await lanes.release(lease)
}
