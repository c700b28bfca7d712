import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import { emptyBatch, type Lease } from '../../ports/tables.ts'
import { CassandraLanes } from '../lanes.ts'
import { statement } from '../client/statements.ts'
import { CassandraTableWriter } from '../table-writer.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { CounterCache } from './counter-cache.ts'
import { parseStoredKey, storedKey } from './key-generations.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const date = '2026-04-01'
const table = 'page_views_by_date' as const
const keyspace = ownKeyspace(engines, { leaseMs: 60_000 })

it('a stored key is read as the key and the generation, whatever texts it has', () => {
  const key = fc.array(fc.oneof(fc.string(), fc.constantFrom('', '\0', '/a\0g', '\0g0')), {
    minLength: 1,
    maxLength: 2,
  })
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 99_999_999 }), (texts, generation) => {
      expect(parseStoredKey(storedKey(texts, generation))).toEqual({ key: texts, generation })
      expect(parseStoredKey(storedKey(texts, 0))).toEqual({ key: texts, generation: 0 })
    }),
  )
})

describe.skipIf(!engines)('counter rows that are deleted on Cassandra', () => {
  const client = connectedTo(keyspace)

  /** An app whose page views are counted by one owner of lane 0 after another. */
  class Pages {
    readonly app = randomUUID()
    #position = -1

    async owner(): Promise<{ writer: CassandraTableWriter; lease: Lease }> {
      const lanes = new CassandraLanes(client(), 1, keyspace.settings)
      const lease = await lanes.acquire(0, randomUUID())
      await lanes.release(lease)
      return { writer: new CassandraTableWriter(client(), keyspace.settings), lease }
    }

    async count(by: Awaited<ReturnType<Pages['owner']>>, views: Readonly<Record<string, number>>): Promise<void> {
      const [from, to] = [this.#position, ++this.#position]
      const rows = Object.entries(views).map(([url, hit]) => ({ key: [url], deltas: [hit, 0, 0] }))
      await by.writer.apply(by.lease, {
        ...emptyBatch,
        lane: 0,
        counters: [{ table, app: this.app, date, from, to, rows }],
      })
    }

    /** Returns the views by page as reports read them, of all pages or of one. */
    async views(prefix: readonly string[] = []): Promise<Record<string, number>> {
      const cache = new CounterCache(client(), 1, 0)
      const rows = await cache.rows({ table, app: this.app, prefix }, [date])
      return Object.fromEntries(rows.map(({ key, counters }) => [String(key[0]), counters[0]!]))
    }

    async stored(): Promise<string[]> {
      const { rows } = await client().execute(statement('page-views-by-date.read'), [this.app, date, 0], {
        prepare: true,
      })
      return rows.map((row) => row.get('url') as string | null).filter((url) => url !== null)
    }
  }

  it('are gone, and later views of the page are counted, by any owner and after any number of deletions', async () => {
    const pages = new Pages()
    const first = await pages.owner()
    await pages.count(first, { '/a': 2, '/b': 1 })
    await pages.count(first, { '/a': -2 })
    for (let times = 0; times < 2; times++)
      await first.writer.removeEmptyCounters(first.lease, { app: pages.app, date })
    expect(await pages.stored()).toEqual(['/b'])
    await pages.count(first, { '/a': 3, '/b': 4 })
    expect(await pages.views()).toEqual({ '/a': 3, '/b': 5 })
    expect(await pages.views(['/b'])).toEqual({ '/b': 5 })
    const second = await pages.owner()
    await pages.count(second, { '/a': 1 })
    expect(await pages.views(['/a'])).toEqual({ '/a': 4 })
    await pages.count(second, { '/a': -4, '/b': -5 })
    await second.writer.removeEmptyCounters(second.lease, { app: pages.app, date })
    // Views of one generation that the next one subtracts leave no row of either.
    expect(await pages.stored()).toEqual([])
    await pages.count(second, { '/a': 7 })
    expect(await pages.views()).toEqual({ '/a': 7 })
  })
})
