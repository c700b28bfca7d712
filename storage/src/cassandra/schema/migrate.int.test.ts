import { loadBootstrap, loadMigrations, loadQueries } from '@hopper/cql'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import { counterTables, visitorTables } from '../../ports/table-definitions.ts'
import { migrate, openCassandra } from '../cassandra.ts'
import { withLock } from './migration-lock.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { clientOptions } from '../client/settings.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const { settings, drop } = ownKeyspace(engines)

describe.skipIf(!engines)('migrations on Cassandra', () => {
  let client: Client
  beforeAll(async () => {
    // Two concurrent processes: one applies, the other waits and finds nothing left to do.
    const done = await Promise.all([migrate(settings), migrate(settings)])
    expect(done.map((names) => names.length).sort()).toEqual([0, loadMigrations().length])
    client = new Client(clientOptions(settings, settings.keyspace))
    await client.connect()
  })
  afterAll(async () => {
    await client?.shutdown()
    await drop()
  })

  it('change nothing when they are applied again', async () => {
    expect(await migrate(settings)).toEqual([])
  })

  it('make every table query another replica soon, including tables created before that setting', async () => {
    const retries = async (): Promise<unknown[]> =>
      (
        await client.execute('SELECT speculative_retry FROM system_schema.tables WHERE keyspace_name = ?', [
          settings.keyspace,
        ])
      ).rows.map((row) => row.get('speculative_retry') as unknown)
    expect(new Set(await retries())).toEqual(new Set(['MIN(99p,250ms)']))
    await client.execute("ALTER TABLE lanes WITH speculative_retry = '99p'", [], { prepare: false })
    expect(await migrate(settings)).toEqual([])
    expect(new Set(await retries())).toEqual(new Set(['MIN(99p,250ms)']))
  })

  it('are refused when an applied one has changed', async () => {
    const [first, ...rest] = loadMigrations()
    await expect(migrate(settings, [{ ...first!, checksum: 'another' }, ...rest])).rejects.toMatchObject({
      code: 'HOP_CONFIG',
    })
  })

  it('must be applied before the storage is opened', async () => {
    const [dropped, missing] = [`${settings.keyspace}_old`, `${settings.keyspace}_none`]
    await migrate({ ...settings, keyspace: dropped }, loadMigrations().slice(0, 1))
    await expect(openCassandra({ ...settings, keyspace: dropped }, 4)).rejects.toMatchObject({ code: 'HOP_CONFIG' })
    await expect(openCassandra({ ...settings, keyspace: missing }, 4)).rejects.toMatchObject({ code: 'HOP_CONFIG' })
    await expect(openCassandra({ ...settings, contactPoints: ['127.0.0.1:1'] }, 4)).rejects.toMatchObject({
      code: 'HOP_STORE_UNAVAILABLE',
    })
    await client.execute(`DROP KEYSPACE ${dropped}`, [], { prepare: false, readTimeout: 60_000 })
  })

  it('hold their lock as long as they run, and no longer', async () => {
    const times = { lockSeconds: 2, waitMs: 30_000 }
    const order: string[] = []
    const long = withLock(client, times, async (assertHeld) => {
      order.push('long')
      const end = performance.now() + 5_000
      while (performance.now() < end) {
        assertHeld()
        await client.execute('SELECT now() FROM system.local', [])
      }
      order.push('end')
    })
    await vi.waitFor(() => expect(order).toEqual(['long']), 10_000)
    await expect(withLock(client, { ...times, waitMs: 0 }, () => Promise.resolve())).rejects.toMatchObject({
      code: 'HOP_STORE_UNAVAILABLE',
    })
    await withLock(client, times, async () => void order.push('next'))
    await long
    expect(order).toEqual(['long', 'end', 'next'])
  })

  it('stop when the lock was lost', async () => {
    const work = withLock(client, { lockSeconds: 2, waitMs: 30_000 }, async (assertHeld) => {
      await client.execute("UPDATE migration_lock SET owner = 'another' WHERE id = 0 IF EXISTS", [])
      for (;;) {
        assertHeld()
        await client.execute('SELECT now() FROM system.local', [])
      }
    })
    await expect(work).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
    await client.execute("DELETE FROM migration_lock WHERE id = 0 IF owner = 'another'", [])
  })

  it('provide a table for every named query, so that it can be prepared', async () => {
    for (const [query, text] of loadQueries()) {
      // The server parses a statement and looks up its tables and columns before it refuses it for missing values.
      await expect(client.execute(text, [], { prepare: true }), query).rejects.toThrow(
        /markers\(\?\) in CQL but 0 bound variables/,
      )
    }
  })

  it('create the tables of the definitions, with their columns', async () => {
    for (const [table, { key, counters }] of Object.entries(counterTables)) {
      const columns = await columnsOf(client, settings.keyspace, table)
      expect(columns).toEqual(
        expected({ ...key, applied: 'counter', ...Object.fromEntries(counters.map((each) => [each, 'counter'])) }),
      )
    }
    for (const [table, { key }] of Object.entries(visitorTables)) {
      const visitor = { user: 'text', device: 'text', anonymous: 'boolean', users: 'set<text>' }
      expect(await columnsOf(client, settings.keyspace, table)).toEqual(expected({ ...key, ...visitor }))
    }
  })
})

describe('the text of the statements', () => {
  it('never scans or reads several partitions in one query', () => {
    const keys = partitionKeys()
    expect(keys.size).toBeGreaterThan(30)
    for (const [query, text] of loadQueries()) {
      expect(text, query).not.toMatch(/ALLOW FILTERING/i)
      const table = /\b(?:FROM|UPDATE|INTO)\s+(\w+)/i.exec(text)![1]!
      for (const [, column] of text.matchAll(/(\w+)\s+IN\b/gi)) expect(keys.get(table), query).not.toContain(column)
    }
  })

  it('documents for each table which query it answers and how it is compacted', () => {
    for (const { name: migration, text } of [{ name: 'bootstrap', ...loadBootstrap() }, ...loadMigrations()]) {
      const tables = text.split('\n\n').filter((part) => part.includes('CREATE TABLE'))
      if (!text.includes('ALTER TABLE')) expect(tables.length, migration).toBeGreaterThan(0)
      for (const table of tables) {
        expect(table, migration).toMatch(/^-- .*\?/m)
        expect(table, migration).toMatch(/compaction = \{'class': '\w+CompactionStrategy'\}/)
      }
    }
  })
})

/** The columns of each table's partition key, by the statements that create them. */
function partitionKeys(): Map<string, readonly string[]> {
  const texts = [loadBootstrap(), ...loadMigrations()].map(({ text }) => text)
  const tables = texts.flatMap((text) => [
    ...text.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+) \([^;]*?PRIMARY KEY \((?:\(([^)]*)\)|(\w+))/g),
  ])
  return new Map(tables.map(([, table, several, one]) => [table!, several?.split(/,\s*/) ?? [one!]]))
}

async function columnsOf(client: Client, keyspace: string, table: string): Promise<Record<string, string>> {
  const { rows } = await client.execute(
    'SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
    [keyspace, table],
  )
  return Object.fromEntries(
    rows.map((row): [string, string] => [row.get('column_name') as string, row.get('type') as string]).sort(),
  )
}

function expected(columns: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries({ app: 'text', date: 'date', lane: 'int', ...columns }).sort())
}
