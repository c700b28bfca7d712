import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Client } from 'cassandra-driver'
import { describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import { visitorTableNames, visitorTables, type VisitorTableName } from '../../ports/table-definitions.ts'
import { emptyBatch, type Lease, type VisitorChange } from '../../ports/tables.ts'
import { withOverrides } from '../../with-overrides.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { CassandraLanes } from '../lanes.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { CassandraTableWriter } from '../table-writer.ts'
import { Uniques } from '../uniques/uniques.ts'
import { readVisitorRows } from './visitor-rows.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const keyspace = ownKeyspace(engines, { leaseMs: 60_000, packedRowsMin: 3, packedMs: 0 })
const today = new Date().toISOString().slice(0, 10)
const dates = ['2020-03-31', today]

const visitor = fc.record({
  user: fc.constantFrom('', 'u', 'v'),
  device: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
})
const stages = fc.array(fc.record({ key: fc.tuple(fc.constantFrom('f', 'g'), fc.nat(2)), visitor }), { maxLength: 8 })
const hours = fc.array(fc.record({ key: fc.tuple(fc.nat(2)), visitor }), { maxLength: 8 })
const agents = fc.array(
  fc.record({ key: fc.tuple(fc.constantFrom('os', 'browser'), fc.constantFrom('', 'x')), visitor }),
  { maxLength: 8 },
)
const edges = fc.array(
  fc.record({ key: fc.tuple(fc.constant('f'), fc.integer({ min: -1, max: 1 }), fc.nat(2)), visitor }),
  { maxLength: 8 },
)
const batch = fc.record({
  date: fc.constantFrom(...dates),
  stage_users_by_date: stages,
  stage_edges_by_date: edges,
  users_by_date: hours,
  agents_by_date: agents,
})

describe.skipIf(!engines)('packed visitors', () => {
  const client = connectedTo(keyspace)

  async function lease(): Promise<Lease> {
    const lanes = new CassandraLanes(client(), 1, keyspace.settings)
    const ownLease = await lanes.acquire(0, randomUUID())
    await lanes.release(ownLease)
    return ownLease
  }

  function changesOf(
    app: string,
    { date, ...tables }: { date: string } & Partial<Record<VisitorTableName, VisitorChange['rows']>>,
  ): VisitorChange[] {
    return Object.entries(tables).flatMap(([table, rows]) =>
      rows.length === 0 ? [] : [{ table: table as VisitorTableName, app, date, rows }],
    )
  }

  function apply(writer: CassandraTableWriter, ownLease: Lease, visitors: readonly VisitorChange[]): Promise<void> {
    return writer.apply(ownLease, { ...emptyBatch, lane: 0, visitors })
  }

  /** The visitors of a table's own rows, as cqlsh shows them: one row for a key and device. */
  async function rowsOf(app: string, date: string, table: VisitorTableName): Promise<string[]> {
    const columns = [...Object.keys(visitorTables[table].key), 'user', 'device']
    const { rows } = await client().execute(
      `SELECT ${columns.join()}, anonymous, users FROM ${table} WHERE app = ? AND date = ? AND lane = 0`,
      [app, date],
      { prepare: true },
    )
    return rows
      .flatMap((row) => {
        const key = Object.keys(visitorTables[table].key).map((column) => row.get(column) as unknown)
        const users = [...(row.get('anonymous') ? [''] : []), ...((row.get('users') as string[] | null) ?? [])]
        expect(row.get('user')).toBe('')
        return users.map((user) => JSON.stringify([...key, user, row.get('device') as string]))
      })
      .sort()
  }

  function expectedOf(changes: readonly VisitorChange[], date: string, table: VisitorTableName): string[] {
    const rows = changes
      .filter((change) => change.table === table && change.date === date)
      .flatMap((change) => change.rows)
    return [...new Set(rows.map(({ key, visitor: { user, device } }) => JSON.stringify([...key, user, device])))].sort()
  }

  async function blocks(app: string): Promise<number> {
    const counts = await Promise.all(
      dates.map((date) =>
        client().execute('SELECT id FROM visitor_blocks_by_date WHERE app = ? AND date = ? AND lane = 0', [app, date], {
          prepare: true,
        }),
      ),
    )
    return counts.reduce((sum, { rows }) => sum + rows.length, 0)
  }

  async function writeAllOut(writer: CassandraTableWriter, ownLease: Lease): Promise<void> {
    while (await writer.writeOut(ownLease)) {
      /* the next */
    }
  }

  it('become rows of their tables, and a reader returns the same before, during and after', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), fc.boolean(), async (batches, restarted) => {
        const app = randomUUID()
        const ownLease = await lease()
        const changes = batches.flatMap((each) => changesOf(app, each))
        const first = new CassandraTableWriter(client(), keyspace.settings)
        for (const each of batches) await apply(first, ownLease, changesOf(app, each))
        const cachingUniques = new Uniques(client(), 1, 1_000_000)
        const query = {
          table: 'stage_users_by_date',
          app,
          dates,
          prefix: ['f'],
          groupBy: ['date', 'stage'],
          countBy: 'device',
        } as const
        const before = await cachingUniques.count(query)
        const reading = Promise.all(
          dates.flatMap((date) =>
            visitorTableNames.map(async (table) => {
              for (let times = 0; times < 3; times++) {
                const rows = await readVisitorRows(client(), { table, app, date, lane: 0, prefix: [] })
                expect(
                  rows.map(({ key, visitor: { user, device } }) => JSON.stringify([...key, user, device])).sort(),
                ).toEqual(expectedOf(changes, date, table))
              }
            }),
          ),
        )
        // The next owner of the lane finds the blocks that the previous one has packed.
        const last = restarted ? new CassandraTableWriter(client(), keyspace.settings) : first
        await writeAllOut(last, restarted ? await lease() : ownLease)
        await reading
        expect(await blocks(app)).toBe(0)
        for (const date of dates)
          for (const table of visitorTableNames)
            expect(await rowsOf(app, date, table)).toEqual(expectedOf(changes, date, table))
        expect(await cachingUniques.count(query)).toEqual(before)
        expect(await new Uniques(client(), 1, 1_000_000).count(query)).toEqual(before)
        // Later rows are added to the cached ones.
        const more: VisitorChange = {
          table: 'stage_users_by_date',
          app,
          date: today,
          rows: [{ key: ['f', 1], visitor: { user: '', device: 'z' } }],
        }
        await apply(last, await lease(), [more])
        expect(await cachingUniques.count(query)).toEqual(await new Uniques(client(), 1, 1_000_000).count(query))
      }),
      { numRuns: 12 },
    )
  })

  it('are not lost when the write-out is interrupted anywhere, and are written out later', async () => {
    for (let cut = 0; cut < 6; cut++) {
      const app = randomUUID()
      const rows = Array.from({ length: 700 }, (_, index) => ({
        key: [index % 3],
        visitor: { user: '', device: `d${index}` },
      }))
      const changes: VisitorChange[] = [{ table: 'users_by_date', app, date: today, rows }]
      const ownLease = await lease()
      let left = Infinity
      const failing = withOverrides(client(), {
        batch: ((...args: Parameters<Client['batch']>) =>
          left-- > 0 ? client().batch(...args) : Promise.reject(new Error('cut'))) as Client['batch'],
      })
      const writer = new CassandraTableWriter(failing, keyspace.settings)
      await apply(writer, ownLease, changes)
      left = cut
      await writer.writeOut(ownLease).catch((error: Error) => expect(error.message).toBe('cut'))
      const read = await readVisitorRows(client(), { table: 'users_by_date', app, date: today, lane: 0, prefix: [] })
      expect(read).toHaveLength(700)
      await writeAllOut(new CassandraTableWriter(client(), keyspace.settings), await lease())
      expect(await rowsOf(app, today, 'users_by_date')).toEqual(expectedOf(changes, today, 'users_by_date'))
      expect(await blocks(app)).toBe(0)
    }
  })

  it('are left alone by an owner whose lease has expired', async () => {
    const app = randomUUID()
    const ownLease = await lease()
    const writer = new CassandraTableWriter(client(), keyspace.settings)
    await apply(writer, ownLease, [
      {
        table: 'users_by_date',
        app,
        date: today,
        rows: ['a', 'b', 'c'].map((device) => ({ key: [1], visitor: { user: '', device } })),
      },
    ])
    await expect(writer.writeOut({ ...ownLease, expiresAt: 0 })).rejects.toThrow('has run out')
    expect(await rowsOf(app, today, 'users_by_date')).toEqual([])
    expect(await blocks(app)).toBe(1)
  })

  it('wait for others during their holding time', async () => {
    const app = randomUUID()
    const ownLease = await lease()
    const writer = new CassandraTableWriter(client(), { ...keyspace.settings, packedMs: 60_000 })
    await writeAllOut(writer, ownLease)
    await apply(writer, ownLease, [
      {
        table: 'users_by_date',
        app,
        date: today,
        rows: ['a', 'b', 'c'].map((device) => ({ key: [1], visitor: { user: '', device } })),
      },
    ])
    expect(await writer.writeOut(ownLease)).toBeUndefined()
    expect(await blocks(app)).toBe(1)
  })
})
