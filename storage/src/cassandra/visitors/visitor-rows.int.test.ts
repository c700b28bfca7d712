import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import type { VisitorTableName } from '../../ports/table-definitions.ts'
import type { VisitorChange } from '../../ports/tables.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { packVisitors, visitorsOf, type VisitorRow } from './visitor-block.ts'
import { DeltaNumbers, type Delta } from './visitor-deltas.ts'
import { visitorParts, type VisitorPart } from './visitor-parts.ts'
import { readVisitorRows, rowRemovals, rowWrites, visitorWrites } from './visitor-rows.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const date = '2026-03-28'
const keyspace = ownKeyspace(engines)

const name = fc.oneof(
  fc.constantFrom('', 'ann', 'a', '1 a', '__proto__', '\u{1f600}'),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const visitor = fc.record({ user: name, device: name })
const stage = fc.record({ key: fc.tuple(fc.constantFrom('f', 'g'), fc.nat(2)), visitor })
const hour = fc.record({ key: fc.tuple(fc.nat(3)), visitor })
const agent = fc.record({ key: fc.tuple(fc.constantFrom('os', 'browser'), fc.constantFrom('', 'x', 'y')), visitor })
const batch = fc.record({
  stage_users_by_date: fc.array(stage, { maxLength: 20 }),
  users_by_date: fc.array(hour, { maxLength: 20 }),
  agents_by_date: fc.array(agent, { maxLength: 20 }),
})
type Batch = Partial<Record<VisitorTableName, VisitorRow[]>>

function changesOf(app: string, written: Batch): VisitorChange[] {
  return Object.entries(written).flatMap(([table, rows]) =>
    rows.length === 0 ? [] : [{ table: table as VisitorTableName, app, date, rows }],
  )
}

const numbers = new DeltaNumbers()
function deltasOf(visitors: readonly VisitorChange[]): Delta<VisitorPart>[] {
  return numbers.number({ lane: 1, owner: 'o', epoch: 1, expiresAt: Infinity }, visitorParts(visitors))
}

function texts(rows: readonly VisitorRow[]): string[] {
  return rows.map(({ key, visitor: { user, device } }) => JSON.stringify([key, user, device])).sort()
}

it('a block returns the rows of each table, below any prefix', () => {
  fc.assert(
    fc.property(batch, (written) => {
      const block = packVisitors(changesOf('a', written))
      for (const [table, rows] of Object.entries(written) as [VisitorTableName, VisitorRow[]][]) {
        expect(texts(visitorsOf(block, table, []))).toEqual(texts(rows))
        expect(texts(visitorsOf(block, table, ['f']))).toEqual(texts(rows.filter(({ key }) => key[0] === 'f')))
      }
      expect(visitorsOf(block, 'stage_edges_by_date', [])).toEqual([])
    }),
  )
})

it('a large batch is written as one block and its delta instead of one row each', () => {
  const rows = Array.from({ length: 2_000 }, (_, index) => ({
    key: [index % 5],
    visitor: { user: '', device: randomUUID() },
  }))
  const changes: VisitorChange[] = [{ table: 'users_by_date', app: 'a', date, rows }]
  expect(visitorWrites(0, deltasOf(changes)).flat()).toHaveLength(2)
  expect(visitorWrites(0, deltasOf([{ ...changes[0]!, rows: rows.slice(0, 100) }])).flat()).toHaveLength(101)
  expect(packVisitors(changes).length / rows.length).toBeLessThan(35)
})

describe.skipIf(!engines)('rows of visitors on Cassandra', () => {
  const client = connectedTo(keyspace)

  it('are read once each, with those of a key adjacent, however they were written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(batch, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 5 }),
        async (batches) => {
          const app = randomUUID()
          const expected = new Map<VisitorTableName, Set<string>>()
          for (const [written, packed, twice] of batches) {
            // Cassandra stores texts as UTF-8, which has no lone surrogates; Hopper's ids have none either.
            const visitors = changesOf(app, written).map((change) => ({
              ...change,
              rows: change.rows.filter(({ visitor: { user, device } }) => user.isWellFormed() && device.isWellFormed()),
            }))
            for (const { table, rows } of visitors)
              expected.set(table, new Set([...(expected.get(table) ?? []), ...texts(rows)]))
            for (let times = twice ? 2 : 1; times > 0; times--) {
              for (const statements of visitorWrites(1, deltasOf(visitors), packed ? 1 : Infinity))
                if (statements.length > 0) await client().batch(statements, { prepare: true, logged: false })
            }
          }
          for (const [table, all] of expected) {
            const rows = await readVisitorRows(client(), { table, app, date, lane: 1, prefix: [] })
            expect(texts(rows)).toEqual([...all].sort())
            const runs = rows.filter(
              ({ key }, index) => JSON.stringify(key) !== JSON.stringify(rows[index - 1]?.key),
            ).length
            expect(runs).toBe(new Set(rows.map(({ key }) => JSON.stringify(key))).size)
            expect(await readVisitorRows(client(), { table, app, date, lane: 0, prefix: [] })).toEqual([])
          }
          const some = await readVisitorRows(client(), {
            table: 'stage_users_by_date',
            app,
            date,
            lane: 1,
            prefix: ['f', 1],
          })
          expect(texts(some)).toEqual(
            [...(expected.get('stage_users_by_date') ?? [])].filter((text) => text.startsWith('[["f",1]')).sort(),
          )
        },
      ),
      { numRuns: 12 },
    )
  })

  const place = { table: 'users_by_date', date, lane: 1, prefix: [] } as const
  const run = async (batches: readonly { query: string; params: unknown[] }[][]): Promise<void> => {
    for (const statements of batches) await client().batch(statements, { prepare: true, logged: false })
  }
  const rowOf = (user: string, device: string): VisitorRow => ({ key: [1], visitor: { user, device } })

  it('are one row per key and device, so count(user) counts devices, and removal leaves other rows alone', async () => {
    const visitors = fc.uniqueArray(fc.tuple(fc.constantFrom('', 'ann', 'ben'), fc.constantFrom('d', 'e')), {
      minLength: 1,
      selector: ([user, device]) => `${user} ${device}`,
    })
    const marked = fc.array(fc.record({ old: fc.boolean(), removed: fc.boolean() }), { minLength: 6, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(visitors, marked, async (all, marks) => {
        const app = randomUUID()
        const rows = all.map(([user, device]) => rowOf(user, device))
        // Some have the format before migration 12, with the user in the key. Anonymous rows are the same in both.
        const isOld = ({ visitor: { user, device } }: VisitorRow, index: number): boolean =>
          marks[index]!.old && (user !== '' || all.filter((each) => each[1] === device).length === 1)
        for (const {
          visitor: { user, device },
        } of rows.filter(isOld)) {
          const query = 'INSERT INTO users_by_date (app, date, lane, hour, user, device) VALUES (?, ?, 1, 1, ?, ?)'
          await client().execute(query, [app, date, user, device], { prepare: true })
        }
        const written = rows.filter((row, index) => !isOld(row, index))
        const change = { table: 'users_by_date' as const, app, date }
        await run(rowWrites(1, { ...change, rows: written }))
        await run(rowWrites(1, { ...change, rows: written }))
        const present = await readVisitorRows(client(), { ...place, app })
        expect(texts(present)).toEqual(texts(rows))
        if (written.length === rows.length) {
          const where = 'WHERE app = ? AND date = ? AND lane = 1 AND hour = 1'
          const query = `SELECT count(user) AS users FROM users_by_date ${where}`
          const [counted] = (await client().execute(query, [app, date], { prepare: true })).rows
          expect(Number(counted!.get('users'))).toBe(new Set(all.map(([, device]) => device)).size)
        }
        await run(rowRemovals(1, { ...change, rows: rows.filter((_, index) => marks[index]!.removed) }, present))
        const left = rows.filter((_, index) => !marks[index]!.removed)
        expect(texts(await readVisitorRows(client(), { ...place, app }))).toEqual(texts(left))
      }),
      { numRuns: 40 },
    )
  })

  it('are read once if a row from before migration 12 duplicates them', async () => {
    const app = randomUUID()
    const query = 'INSERT INTO users_by_date (app, date, lane, hour, user, device) VALUES (?, ?, 1, 1, ?, ?)'
    await client().execute(query, [app, date, 'ann', 'd'], { prepare: true })
    await run(rowWrites(1, { table: 'users_by_date', app, date, rows: [rowOf('ann', 'd'), rowOf('', 'd')] }))
    const found = await readVisitorRows(client(), { ...place, app })
    expect(texts(found)).toEqual(texts([rowOf('ann', 'd'), rowOf('', 'd')]))
  })
})
