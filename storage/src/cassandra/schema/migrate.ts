import { HopperError } from '@hopper/contracts'
import { loadBootstrap, loadMigrations, type Migration } from '@hopper/cql'
import { Client } from 'cassandra-driver'
import { withLock, type LockTimes } from './migration-lock.ts'
import { clientOptions, type CassandraSettings } from '../client/settings.ts'
import { rowsOf, statement } from '../client/statements.ts'

const TIMES: LockTimes = { lockSeconds: 60, waitMs: 120_000 }
/** Timeout of a schema change, which waits until all nodes agree on it. */
const CHANGE_TIMEOUT_MS = 60_000
/** as Cassandra formats it */
const SPECULATIVE_RETRY = 'MIN(99p,250ms)'
const keyspaceName = /^[a-z][a-z0-9_]{0,47}$/
const change = { prepare: false, readTimeout: CHANGE_TIMEOUT_MS }

/**
 * Migrates the keyspace to the newest version, under a lock, so that several processes may try concurrently. Skips
 * migrations that are already applied and returns the names of those applied now. Throws HOP_CONFIG when an applied
 * migration has changed, HOP_STORE_UNAVAILABLE when the cluster cannot be reached or another process keeps the lock.
 */
export async function migrate(
  settings: CassandraSettings,
  migrations: readonly Migration[] = loadMigrations(),
  times = TIMES,
): Promise<string[]> {
  if (!keyspaceName.test(settings.keyspace))
    throw new HopperError('HOP_CONFIG', `"${settings.keyspace}" is not a valid keyspace name.`)
  await withClient(settings, undefined, (client) =>
    client.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${settings.keyspace} WITH replication = ${replicationOf(settings)}`,
      [],
      change,
    ),
  )
  return withClient(settings, settings.keyspace, async (client) => {
    for (const text of loadBootstrap().statements) await client.execute(asApplied(text), [], change)
    return withLock(client, times, async (assertHeld) => {
      const applied = await applyMissing(client, migrations, assertHeld)
      await speculateSoon(client, settings.keyspace, assertHeld)
      return applied
    })
  })
}

/**
 * Makes coordinators query another replica soon when the first does not answer. Cassandra's default depends on the
 * slowest reads so far: for a new table that is half of the read timeout, for a busy one it is too long.
 */
async function speculateSoon(client: Client, keyspace: string, assertHeld: () => void): Promise<void> {
  const { rows } = await client.execute(
    'SELECT table_name, speculative_retry FROM system_schema.tables WHERE keyspace_name = ?',
    [keyspace],
    { prepare: true, isIdempotent: true },
  )
  for (const row of rows) {
    if (row.get('speculative_retry') === SPECULATIVE_RETRY) continue
    assertHeld()
    await client.execute(
      `ALTER TABLE "${String(row.get('table_name'))}" WITH speculative_retry = '${SPECULATIVE_RETRY}'`,
      [],
      change,
    )
  }
}

/** Throws HOP_CONFIG unless the keyspace has the newest migration. */
export async function assertMigrated(
  client: Client,
  migrations: readonly Migration[] = loadMigrations(),
): Promise<void> {
  const newest = migrations.at(-1)!
  const [row] = await rowsOf(client, 'migrations.one', [newest.number]).catch((error: Error) => {
    if (/unconfigured table|does not exist/i.test(error.message)) return []
    throw error
  })
  if (row?.get('checksum') !== newest.checksum)
    throw new HopperError('HOP_CONFIG', 'The keyspace is not up to date: run "hopper migrate" first.')
}

async function withClient<T>(
  settings: CassandraSettings,
  keyspace: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(clientOptions(settings, keyspace))
  try {
    await client.connect().catch((cause: Error) => {
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra cannot be reached.', { cause })
    })
    return await work(client)
  } finally {
    await client.shutdown()
  }
}

function replicationOf({ replication, dataCenter }: CassandraSettings): string {
  const replicas = typeof replication === 'number' ? { [dataCenter]: replication } : replication
  const each = Object.entries(replicas).map(([name, count]) => `'${name.replaceAll("'", "''")}': ${count}`)
  return `{'class': 'NetworkTopologyStrategy', ${each.join(', ')}}`
}

async function applyMissing(
  client: Client,
  migrations: readonly Migration[],
  assertHeld: () => void,
): Promise<string[]> {
  const done: string[] = []
  for (const { number, name, checksum, statements } of migrations) {
    const found = (await rowsOf(client, 'migrations.one', [number]))[0]?.get('checksum') as string | undefined
    if (found === checksum) continue
    if (found !== undefined)
      throw new HopperError(
        'HOP_CONFIG',
        `Migration ${name} was applied with another text; a change needs a new number.`,
      )
    for (const text of statements) {
      assertHeld()
      await client.execute(asApplied(text), [], change)
    }
    assertHeld()
    await client.execute(statement('migrations.add'), [number, name, checksum], { prepare: true })
    done.push(name)
  }
  return done
}

/**
 * Makes CREATE TABLE repeatable: an interrupted migration is applied again from its beginning. Adds the speculative
 * retry option, so that a new table need not be altered afterwards.
 */
function asApplied(text: string): string {
  if (!/^CREATE TABLE /i.test(text)) return text
  const options = /\)\s*WITH\s/i.test(text) ? 'AND' : 'WITH'
  const created = text.replace(/^CREATE TABLE (?!IF NOT EXISTS)/i, 'CREATE TABLE IF NOT EXISTS ')
  return `${created} ${options} speculative_retry = '${SPECULATIVE_RETRY}'`
}
