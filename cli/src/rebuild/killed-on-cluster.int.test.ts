import { randomBytes } from 'node:crypto'
import { datesBetween, type Envelope, type Event } from '@hopper/contracts'
import { counterTableNames, emptyBatch, visitorTableNames, type Storage } from '@hopper/storage'
import { migrate } from '@hopper/storage/cassandra'
import '@hopper/storage/contract/engines'
import * as fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { archivedEvents } from '../installation/archived-events.ts'
import { clusterSettings } from '../testing/cluster.fixture.ts'
import { auditOf, putApps, RANGE, traffic } from '../testing/installation.fixture.ts'
import { openInstallation } from '../installation/open-installation.ts'
import { readConfig } from '../config/config.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'
import { cassandraSettings } from '../installation/open-storage.ts'
import { countAll } from './count-all.ts'
import { rebuildAndKill } from './rebuild-and-kill.fixture.ts'

const engines = inject('engines')
const [sample] = fc.sample(traffic, { numRuns: 20, seed: 3 }).filter((envelopes) => envelopes.length > 25)
const lanes = 2
const apps = ['berlin', 'kathmandu']
const KILLS = 2
/** An attempt fails when the rebuild ends before its kill; the next one is then killed earlier. */
const ATTEMPTS_MAX = 8
const KILLS_MS_MAX = 9_000
const funnel = {
  id: 'f',
  name: 'F',
  stages: [
    { id: 0, name: 'zero', url: '/' },
    { id: 1, name: 'one', url: '/a' },
    { id: 2, name: 'two', click: '//b' },
  ],
}

/** Everything that readers see: counter rows with values, visitors, and the number of archived events. */
interface TableContents {
  readonly counters: ReadonlyMap<string, string>
  readonly visitors: ReadonlySet<string>
  readonly events: number
}

describe.skipIf(!engines)('a rebuild of a cluster that is killed at any moment', () => {
  it('never shows readers less, and a second run completes it; control: emptying the tables first fails', async () => {
    const name = `hopper_killed_${randomBytes(6).toString('hex')}`
    const settings = { ...clusterSettings(engines!, name, lanes), kafkaSessionMs: '6000', leaseMs: '2000' }
    const config = readConfig(settingsOf.installation, settings, {})
    await migrate(cassandraSettings(config))
    await using storage = Object.assign(await openInstallation(config), {
      [Symbol.asyncDispose]: () => storage.close(),
    })
    await putApps(storage)
    await storage.log.append([...sample!, ...visits(0)])
    await count(storage)
    // The tables also contain the past of a funnel, and what servers and trackers have sent since.
    for (const app of apps) await storage.registry.funnels.put(app, 'f', funnel)
    await count(storage)
    await storage.log.append(visits(100))
    await count(storage)
    const wanted = await readTables(storage)
    expect([...wanted.visitors].some((row) => row.startsWith('stage_edges_by_date'))).toBe(true)
    await damage(storage)
    const damaged = await readTables(storage)
    expect(wrongRows(damaged, wanted, wanted)).not.toEqual([])
    let kills = 0
    let withinMs = KILLS_MS_MAX
    for (let attempt = 0; kills < KILLS && attempt < ATTEMPTS_MAX; attempt++) {
      const afterMs = Math.floor(Math.random() * withinMs)
      const check = async (): Promise<void> =>
        expect(wrongRows(await readTables(storage), damaged, wanted), `killed after ${afterMs} ms`).toEqual([])
      if (await checkWhile(rebuildAndKill(settings, afterMs), check)) kills++
      else withinMs = afterMs
    }
    expect(kills).toBe(KILLS)
    const last = rebuildAndKill(settings, Infinity)
    expect(
      await checkWhile(last, async () => expect(wrongRows(await readTables(storage), damaged, wanted)).toEqual([])),
    ).toBe(false)
    expect(await readTables(storage)).toEqual(wanted)
    expect(await auditOf(storage)).toEqual([])

    const missed: string[] = []
    await checkWhile(
      rebuildAndKill(settings, 6_000, 'in-place'),
      async () => void missed.push(...wrongRows(await readTables(storage), wanted, wanted)),
    )
    expect(missed).not.toEqual([])
  }, 600_000)
})

/** Checks repeatedly while something runs, and once more when it has ended. */
async function checkWhile<T>(running: Promise<T>, check: () => Promise<void>): Promise<T> {
  let isRunning = true
  const ended = running.finally(() => (isRunning = false))
  try {
    while (isRunning) await check()
  } finally {
    await ended
  }
  await check()
  return ended
}

/**
 * Lists what readers must never see: counters that are in neither state, and visitors missing that both states have.
 */
function wrongRows(now: TableContents, before: TableContents, after: TableContents): string[] {
  const counters = [...new Map([...before.counters, ...after.counters]).keys()].filter((row) => {
    const value = now.counters.get(row)
    return value !== before.counters.get(row) && value !== after.counters.get(row)
  })
  const visitors = [...before.visitors].filter((row) => after.visitors.has(row) && !now.visitors.has(row))
  return [...counters, ...visitors, ...(now.events === after.events ? [] : [`${now.events} events`])]
}

async function readTables({ reader, archive }: Storage): Promise<TableContents> {
  const partitions = datesBetween(RANGE.from, RANGE.to).flatMap((date) =>
    apps.flatMap((app) => [0, 1].map((lane) => ({ app, date, lane }))),
  )
  const counters = new Map<string, string>()
  const visitors = new Set<string>()
  await Promise.all(
    partitions.map(async ({ app, date, lane }) => {
      await Promise.all(
        counterTableNames.map(async (table) => {
          for (const { key, counters: values } of await reader.counterPartition(lane, { table, app, date })) {
            if (values.some((value) => value !== 0))
              counters.set([table, app, date, lane, ...key].join(' '), values.join())
          }
        }),
      )
      await Promise.all(
        visitorTableNames.map(async (table) => {
          const rows = await reader.visitorPartition(lane, { table, app, date })
          for (const {
            key,
            visitor: { user, device },
          } of rows)
            visitors.add([table, app, date, lane, ...key, user, device].join(' '))
        }),
      )
    }),
  )
  let events = 0
  for (const app of apps) {
    for (let lane = 0; lane < lanes; lane++) {
      for await (const some of archivedEvents(archive!, app, lane, { from: 0, to: Number.MAX_SAFE_INTEGER }, Infinity))
        events += some.length
    }
  }
  return { counters, visitors, events }
}

/** Visits reported by a server, which knows no funnels. */
function visits(first: number): Envelope[] {
  const at = Date.parse('2026-03-29T10:00:00Z')
  return Array.from({ length: 12 }, (_, n): Envelope => {
    const events = ['/', '/a'].map((to, seq): Event => ({
      type: 'url_change',
      event_id: `v${first + n}-${seq}`,
      timestamp: at + n * 60_000 + seq * 1_000,
      seq,
      session_id: `v${n}`,
      from: '',
      to,
      elapsed_time: 1,
    }))
    return {
      version: 1,
      app: apps[n % 2]!,
      device_id: `server-${n}`,
      received_at: at + n * 60_000,
      context: { device: 'server', browser: '', os: '' },
      events,
    }
  })
}

/** Removes some counters and visitors of each lane. */
async function damage({ reader, writer, lanes: owners }: Storage): Promise<void> {
  for (let lane = 0; lane < lanes; lane++) {
    const lease = await owners.acquire(lane, 'damage')
    for (const date of ['2026-03-28', '2026-03-29', '2026-03-30']) {
      const partition = { table: 'activity_by_date' as const, app: 'berlin', date }
      const [row] = await reader.counterPartition(lane, partition)
      const [applied] = await writer.applied(lane, [partition])
      if (row) {
        const rows = [{ key: row.key, deltas: [-row.counters[0]!, 0] }]
        await writer.apply(lease, {
          ...emptyBatch,
          lane,
          counters: [{ ...partition, from: applied!, to: applied!, rows }],
        })
      }
      for (const table of visitorTableNames) {
        const [visitor] = await reader.visitorPartition(lane, { table, app: 'berlin', date })
        if (visitor) await writer.removeVisitors(lease, [{ table, app: 'berlin', date, rows: [visitor] }])
      }
    }
    await owners.release(lease)
  }
}

function count(storage: Storage): Promise<void> {
  return countAll(storage, createLogger('silent', 'test'), () => undefined)
}
