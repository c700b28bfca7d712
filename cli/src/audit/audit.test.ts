import type { SQLInputValue } from 'node:sqlite'
import { Aggregator } from '@hopper/aggregator'
import type { Envelope } from '@hopper/contracts'
import {
  counterTableNames,
  counterTables,
  visitorTableNames,
  type CounterTableName,
  type Lanes,
  type LogMessage,
} from '@hopper/storage'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Drift } from './drift.ts'
import { auditOf, makeInstallation, traffic, type Installation } from '../testing/installation.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const at = Date.parse('2026-03-29T12:00:00Z')
const envelope: Envelope = {
  version: 1,
  app: 'berlin',
  device_id: 'd',
  received_at: at,
  context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
  events: [{ type: 'click', event_id: 'e', timestamp: at, seq: 0, target: '//a', elapsed_time: 5, current_url: '/' }],
}

const step = fc.record({ lane: fc.nat(1), messages: fc.integer({ min: 1, max: 6 }), give: fc.nat(3), audit: fc.nat(2) })

it('finds nothing in an undamaged installation between any two batches', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, fc.array(step, { minLength: 3, maxLength: 12 }), async (envelopes, steps) => {
      await using installation = await makeInstallation()
      const { storage } = installation
      await storage.log.append(envelopes)
      const aggregator = new Aggregator({ ...storage, owner: 'test', archiveBacklogMs: 0 })
      const next = await Promise.all([0, 1].map((lane) => aggregator.assigned(lane)))
      for (const { lane, messages, give, audit } of steps) {
        const read: readonly LogMessage[] = await storage.log.read(lane, next[lane]!, messages)
        if (read.length > 0) {
          await aggregator.batch(lane, read)
          next[lane] = read.at(-1)!.position + 1
        }
        if (give === 0) {
          await aggregator.revoked(lane)
          next[lane] = await aggregator.assigned(lane)
        }
        if (audit === 0) expect(await installation.audit()).toEqual([])
      }
      await installation.count()
      expect(await installation.audit()).toEqual([])
    }),
    { numRuns: repetitions(8) },
  )
}, 120_000)

it('finds nothing while the aggregator counts concurrent traffic', async () => {
  await using installation = await makeInstallation()
  const { storage } = installation
  const aggregator = new Aggregator({ ...storage, owner: 'test', archiveBacklogMs: 0 })
  await aggregator.start()
  let sending = true
  const sent = (async () => {
    for (let n = 0; sending; n++) {
      const events = [
        { ...envelope.events[0]!, event_id: `e${n}` },
        { ...envelope.events[0]!, event_id: `e${n - 3}` },
      ]
      await storage.log.append([{ ...envelope, device_id: `d${n % 50}`, events }])
    }
  })()
  const range = { from: '2026-03-28', to: '2026-03-30' }
  const messages = async (): Promise<number> => (await storage.log.ends()).reduce((sum, end) => sum + end)
  for (let times = 0; times < 5 || (await messages()) < 100; times++)
    expect(await installation.audit(range)).toEqual([])
  sending = false
  await sent
  await aggregator.close()
}, 60_000)

/** One kind of damage to a table: the change to a row, and what the audit must report. */
const damages = {
  'a counter too high': (table: CounterTableName, column: string) =>
    `UPDATE ${table} SET "${column}" = "${column}" + 3`,
  'a counter too low': (table: CounterTableName, column: string) => `UPDATE ${table} SET "${column}" = "${column}" - 1`,
  'a row of counters gone': (table: CounterTableName) => `DELETE FROM ${table}`,
} as const

it('finds exactly the damaged rows in every table; a repair corrects them and changes nothing else', async () => {
  const damage = fc.constantFrom(...(Object.keys(damages) as (keyof typeof damages)[]))
  const counterBreak = fc.record({ table: fc.constantFrom(...counterTableNames), damage, pick: fc.nat(1000) })
  const visitorBreak = fc.record({ table: fc.constantFrom(...visitorTableNames), pick: fc.nat(1000) })
  const few = <T>(breaks: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(breaks, { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(traffic, few(counterBreak), few(visitorBreak), async (envelopes, counters, visitors) => {
      await using installation = await makeInstallation()
      await installation.storage.log.append(envelopes)
      await installation.count()
      const before = contents(installation)
      const broken = new Set<string>()
      for (const { table, damage, pick } of counters) {
        const names = counterTables[table].counters
        breakRow(installation, table, pick, broken, damages[damage](table, names[pick % names.length]!))
      }
      for (const { table, pick } of visitors) breakRow(installation, table, pick, broken, `DELETE FROM ${table}`)
      const damaged = contents(installation)
      const changed = [
        ...new Set(
          [...before, ...damaged].filter((row) => !(before.includes(row) && damaged.includes(row))).map(keyOfRow),
        ),
      ].sort()

      const found = await installation.audit()
      expect(found.map(({ drift }) => placeOf(drift)).sort()).toEqual(changed)
      expect(contents(installation)).toEqual(damaged)
      expect((await installation.audit({ repair: true })).every(({ repaired }) => repaired)).toBe(true)
      expect(contents(installation)).toEqual(before)
      expect(await installation.audit()).toEqual([])
    }),
    { numRuns: repetitions(8) },
  )
}, 120_000)

it('reports a visitor that no event accounts for, and not as repaired', async () => {
  await using installation = await makeInstallation()
  await installation.storage.log.append([envelope])
  await installation.count()
  installation.tables.exec("INSERT INTO users_by_date VALUES ('berlin', '2026-03-29', 1, 3, '', 'ghost')")
  const place = { table: 'users_by_date', app: 'berlin', date: '2026-03-29', lane: 1, key: [3] }
  const surplus = { kind: 'surplus', ...place, visitor: { user: '', device: 'ghost' } }
  for (const repair of [false, true, false])
    expect(await installation.audit({ repair })).toEqual([{ drift: surplus, repaired: false }])
})

it('audits only the requested app and dates', async () => {
  await using installation = await makeInstallation()
  await installation.storage.log.append([envelope, { ...envelope, app: 'kathmandu' }])
  await installation.count()
  installation.tables.exec('UPDATE activity_by_date SET events = events + 1')
  expect((await installation.audit()).map(({ drift }) => drift.app).sort()).toEqual(['berlin', 'kathmandu'])
  expect((await installation.audit({ app: 'berlin' })).map(({ drift }) => drift.app)).toEqual(['berlin'])
  expect(await installation.audit({ app: 'berlin', from: '2026-03-30' })).toEqual([])
  await expect(installation.audit({ app: 'nobody' })).rejects.toThrow('There is no app "nobody".')
})

it('refuses to repair a lane whose lease was lost', async () => {
  await using installation = await makeInstallation()
  await installation.storage.log.append([envelope])
  await installation.count()
  installation.tables.exec('UPDATE activity_by_date SET events = events + 1')
  const { storage } = installation
  const robbed = { ...storage, lanes: bound(storage.lanes) }
  robbed.lanes.acquire = async (lane, owner) => {
    const lease = await storage.lanes.acquire(lane, owner)
    await storage.lanes.acquire(lane, 'thief')
    return lease
  }
  await expect(auditOf(robbed, { repair: true })).rejects.toThrow('belongs to another owner')
  expect(await installation.audit()).toHaveLength(1)
})

function bound(lanes: Lanes): { -readonly [N in keyof Lanes]: Lanes[N] } {
  const { acquire, renew, release, commit, positions } = lanes
  const [take, again, give] = [acquire.bind(lanes), renew.bind(lanes), release.bind(lanes)]
  return { acquire: take, renew: again, release: give, commit: commit.bind(lanes), positions: positions.bind(lanes) }
}

/** Returns every row of the tables that an audit compares. Rows of zeros are left out: they equal a missing row. */
function contents({ tables }: Installation): string[] {
  return [...counterTableNames, ...visitorTableNames]
    .flatMap((table) => {
      const counters: readonly string[] =
        table in counterTables ? counterTables[table as CounterTableName].counters : []
      const rows = tables.prepare(`SELECT * FROM ${table}`).all()
      return rows
        .filter((row) => counters.length === 0 || counters.some((name) => row[name] !== 0))
        .map((row) => {
          const key = Object.fromEntries(Object.entries(row).filter(([name]) => !counters.includes(name)))
          return JSON.stringify([table, Object.values(key), counters.map((name) => row[name]!)])
        })
    })
    .sort()
}

function keyOfRow(row: string): string {
  return JSON.stringify((JSON.parse(row) as unknown[]).slice(0, 2))
}

function placeOf(drift: Drift): string {
  const visitor = drift.kind === 'counter' ? [] : [drift.visitor.user, drift.visitor.device]
  return JSON.stringify([drift.table, [drift.app, drift.date, drift.lane, ...drift.key, ...visitor]])
}

/** Applies the damage to one row of the table, if it has one. */
function breakRow({ tables }: Installation, table: string, pick: number, broken: Set<string>, statement: string): void {
  const rows = tables.prepare(`SELECT * FROM ${table}`).all()
  const row = rows[pick % rows.length]
  if (!row || broken.has(JSON.stringify(row))) return
  broken.add(JSON.stringify(row))
  const where = Object.keys(row)
    .map((name) => `"${name}" = ?`)
    .join(' AND ')
  tables.prepare(`${statement} WHERE ${where}`).run(...(Object.values(row) as SQLInputValue[]))
}
