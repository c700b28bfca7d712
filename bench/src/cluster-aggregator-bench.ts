import { randomBytes } from 'node:crypto'
import { Aggregator } from '@hopper/aggregator'
import { loadQueries } from '@hopper/cql'
import type { LaneBatch, Lease, Storage, TableWriter } from '@hopper/storage'
import { cassandraDefaults, migrate, openCassandra, type CassandraSettings } from '@hopper/storage/cassandra'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { Client } from 'cassandra-driver'
import { envelopes } from './bodies.ts'
import { cassandraContactPoints, kafkaBrokers } from './config.ts'
import { median, reportLine } from './paired.ts'

const LANES = 8
const ROUNDS = 3
const ENVELOPES = 4_000
const EVENTS = 25
const SINGLE_UPDATES = 15_000
const CONCURRENCIES = [32, 64, 128, 256, 512]
const COUNT_MS_MAX = 300_000
const TIMES_BAR = 10
const EXACT_BAR = 0.9
const queries = loadQueries()

/**
 * The aggregator from Kafka into all tables and the archive on Cassandra, against one counter update for each event through the driver, and against
 * itself without watermarks: neither read nor written, nothing checked.
 */
export async function clusterAggregatorBench(): Promise<void> {
  if (!kafkaBrokers || !cassandraContactPoints) return console.log('  SKIPPED: HOPPER_KAFKA_BROKERS and HOPPER_CASSANDRA_CONTACT_POINTS name no engines')
  const name = `bench_${randomBytes(6).toString('hex')}`
  const settings: CassandraSettings = { ...cassandraDefaults, contactPoints: cassandraContactPoints, dataCenter: 'datacenter1', keyspace: name }
  await migrate(settings)
  const rest = await openCassandra(settings, LANES)
  const log = await new KafkaEventLog({ ...kafkaDefaults, brokers: kafkaBrokers, lanes: LANES, topic: name, group: name }).connect()
  const client = new Client({ contactPoints: [...cassandraContactPoints], localDataCenter: 'datacenter1', keyspace: name })
  const storage = { ...rest, log }
  try {
    const single = await bestSingleUpdates(client)
    const [on, off]: number[][] = [[], []]
    for (let round = -1; round < ROUNDS; round++) {
      const rates = [await aggregated(storage, `on${round}`, storage.writer), await aggregated(storage, `off${round}`, withoutWatermarks(storage.writer, client))]
      if (round < 0) continue
      on!.push(rates[0]!)
      off!.push(rates[1]!)
    }
    const again = await singleUpdates(client, single.concurrency)
    const bare = Math.max(single.rate, again)
    console.log(`  aggregator on Kafka and Cassandra: ${Math.round(median(on!))} events/s; without watermarks ${Math.round(median(off!))} events/s`)
    console.log(`  one counter update for each event: ${Math.round(bare)} events/s, at ${single.concurrency} at once`)
    console.log(reportLine('aggregator on Cassandra : one counter update for each event', ratios(on!, () => bare), TIMES_BAR))
    console.log(reportLine('exactly-once on : off', ratios(on!, (at) => off![at]!), EXACT_BAR))
  } finally {
    await log.close()
    await rest.close()
    await client.execute(`DROP KEYSPACE ${name}`, [], { readTimeout: 60_000 })
    await client.shutdown()
  }
}

function ratios(rates: readonly number[], to: (at: number) => number): { ratio: number; ratioMin: number; ratioMax: number } {
  const all = rates.map((rate, at) => rate / to(at))
  return { ratio: median(all), ratioMin: Math.min(...all), ratioMax: Math.max(...all) }
}

/** Events per second, from the first that is counted to the last; an app of its own for each run. */
async function aggregated(storage: Omit<Storage, 'log'> & { log: KafkaEventLog }, app: string, writer: TableWriter): Promise<number> {
  await storage.registry.organizations.put('', 'bench', { id: 'bench', name: 'Bench' })
  await storage.registry.apps.put('bench', app, { id: app, organization: 'bench', name: app, timezone: 'UTC', origins: [], keep_parameters: [] })
  const all = envelopes(app, ENVELOPES, EVENTS)
  for (let at = 0; at < all.length; at += 500) await storage.log.append(all.slice(at, at + 500))
  const today = new Date().toISOString().slice(0, 10)
  const countedSoFar = async (): Promise<number> => (await storage.reader.counters('fates_by_date', app, [today])).reduce((sum, row) => sum + row.counters[0]!, 0)
  const aggregator = new Aggregator({ ...storage, writer, owner: app })
  await aggregator.start()
  try {
    const end = performance.now() + COUNT_MS_MAX
    let first: { counted: number; at: number } | undefined
    for (;;) {
      const counted = await countedSoFar()
      const at = performance.now()
      if (counted > 0) first ??= { counted, at }
      if (first && counted === ENVELOPES * EVENTS) return ((counted - first.counted) / (at - first.at)) * 1_000
      if (at > end) throw new Error(`only ${counted} events counted in ${COUNT_MS_MAX} ms`)
      await new Promise((next) => setTimeout(next, 50))
    }
  } finally {
    await aggregator.close()
  }
}

/** The same writer, its counters as plain updates: no watermark is read, written or checked. */
function withoutWatermarks(writer: TableWriter, client: Client): TableWriter {
  const count = async (batch: LaneBatch): Promise<void> => {
    await Promise.all(batch.counters.map(({ table, app, date, rows }) => {
      const query = queries.get(`${table.replaceAll('_', '-')}.add`)!
      const statements = rows.map(({ key, deltas }) => ({ query, params: [...deltas, app, date, batch.lane, ...key] }))
      return client.batch(statements, { prepare: true, counter: true })
    }))
  }
  return {
    firstPositions: (...of) => writer.firstPositions(...of),
    seenIds: (...of) => writer.seenIds(...of),
    identities: (...of) => writer.identities(...of),
    applied: async (_lane, partitions) => partitions.map(() => -1),
    apply: async (lease: Lease, batch: LaneBatch) => {
      await writer.apply(lease, { ...batch, counters: [] })
      await count(batch)
    },
  }
}

async function bestSingleUpdates(client: Client): Promise<{ rate: number; concurrency: number }> {
  let best = { rate: 0, concurrency: 0 }
  for (const concurrency of CONCURRENCIES) {
    const rate = await singleUpdates(client, concurrency)
    if (rate > best.rate) best = { rate, concurrency }
  }
  return best
}

/** Updates per second, each of one event's counter, spread over pages and lanes as real events are. */
async function singleUpdates(client: Client, concurrency: number): Promise<number> {
  const query = queries.get('page-views-by-date.add')!
  const started = performance.now()
  let next = 0
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < SINGLE_UPDATES) {
      const number = next++
      await client.execute(query, [1, 100, 1, 'single', '2026-01-01', number % LANES, `/page-${number % 50}`], { prepare: true })
    }
  }))
  return SINGLE_UPDATES / ((performance.now() - started) / 1_000)
}
