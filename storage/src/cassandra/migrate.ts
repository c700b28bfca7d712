import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import { loadMigrations, type Migration } from '@hopper/cql'
import { Client } from 'cassandra-driver'
import { clientOptions, type CassandraSettings } from './settings.ts'

const LOCK_SECONDS = 60
const LOCK_WAIT_MS = 120_000
const keyspaceName = /^[a-z][a-z0-9_]{0,47}$/

/**
 * Brings the keyspace to the newest migration, under a lock, so that two processes may try at once; what is applied already is left alone.
 * Answers the names applied now. Throws HOP_CONFIG when an applied migration has changed.
 */
export async function migrate(settings: CassandraSettings, migrations: readonly Migration[] = loadMigrations()): Promise<string[]> {
  if (!keyspaceName.test(settings.keyspace)) throw new HopperError('HOP_CONFIG', `"${settings.keyspace}" is no name for a keyspace.`)
  await createKeyspace(settings)
  const client = new Client(clientOptions(settings, settings.keyspace))
  try {
    return await underLock(client, () => applyMissing(client, migrations))
  } finally {
    await client.shutdown()
  }
}

async function createKeyspace(settings: CassandraSettings): Promise<void> {
  const client = new Client(clientOptions(settings))
  try {
    const replication = `{'class': 'NetworkTopologyStrategy', '${settings.dataCenter.replaceAll("'", "''")}': ${settings.replication}}`
    await client.execute(`CREATE KEYSPACE IF NOT EXISTS ${settings.keyspace} WITH replication = ${replication}`, [], { prepare: false })
  } finally {
    await client.shutdown()
  }
}

async function underLock<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const options = { prepare: false }
  await client.execute('CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY, name text, checksum text)', [], options)
  await client.execute('CREATE TABLE IF NOT EXISTS migration_lock (id int PRIMARY KEY, owner text)', [], options)
  const owner = randomUUID()
  const end = performance.now() + LOCK_WAIT_MS
  for (;;) {
    const taken = await client.execute(`INSERT INTO migration_lock (id, owner) VALUES (0, ?) IF NOT EXISTS USING TTL ${LOCK_SECONDS}`, [owner])
    if (taken.wasApplied()) break
    if (performance.now() > end) throw new HopperError('HOP_STORE_UNAVAILABLE', 'Another process holds the lock of the migrations.')
    await pause(250)
  }
  try {
    return await work()
  } finally {
    await client.execute('DELETE FROM migration_lock WHERE id = 0 IF owner = ?', [owner])
  }
}

async function applyMissing(client: Client, migrations: readonly Migration[]): Promise<string[]> {
  const { rows } = await client.execute('SELECT number, checksum FROM migrations')
  const applied = new Map(rows.map((row) => [row.get('number') as number, row.get('checksum') as string]))
  const done: string[] = []
  for (const migration of migrations) {
    const checksum = applied.get(migration.number)
    if (checksum === migration.checksum) continue
    if (checksum !== undefined) throw new HopperError('HOP_CONFIG', `Migration ${migration.name} was applied with another text; a change needs a new number.`)
    for (const statement of migration.statements) await client.execute(ifNotExists(statement), [], { prepare: false })
    await client.execute('INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)', [migration.number, migration.name, migration.checksum])
    done.push(migration.name)
  }
  return done
}

/** A migration that was cut in the middle is applied again from its beginning. */
function ifNotExists(statement: string): string {
  return statement.replace(/^CREATE TABLE (?!IF NOT EXISTS)/i, 'CREATE TABLE IF NOT EXISTS ')
}
