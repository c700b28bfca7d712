import { randomBytes } from 'node:crypto'
import { withOverrides, withLog, type Storage, type TableWriter } from '@hopper/storage'
import { cassandraDefaults, migrate, openCassandra, type CassandraSettings } from '@hopper/storage/cassandra'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { Client } from 'cassandra-driver'
import type { AggregatorTarget } from './aggregator-process-main.ts'
import { AggregatorProcesses } from './aggregator-processes.ts'
import { aggregate, fillLog, noArchive, noTables, type Target } from './aggregate.ts'
import { envelopes } from '../harness/bodies.ts'
import { cassandraContactPoints, kafkaBrokers } from '../harness/config.ts'
import { updatesWithoutFolding, oneUpdatePerEvent, sendAll, updatesOf, type CounterUpdate } from './counter-updates.ts'
import { cpuOf, whenIdle, processOn } from '../harness/process-usage.ts'
import { median, reportLine } from '../harness/paired.ts'

const LANES = 8
const WARM_UPS = 3
const ROUNDS = 6
const ENVELOPES = 16_000
/** one per core of the machine that the figures come from */
const PROCESSES = 2
const EVENTS = 25
const UPDATES = 30_000
/** number of events whose every counter is updated */
const COUNTED = 15_000
const CONCURRENCIES = [128, 256, 512, 1_024, 2_048]
const TIMES_BAR = 10
const EXACT_BAR = 0.9

/** Figures of one run: events (or updates) per second, and CPU in us per event, by process. */
interface Run {
  readonly rate: number
  readonly own: number
  readonly cassandra: number
  readonly kafka: number
}

/**
 * Measures aggregators from Kafka into all tables and the archive on Cassandra, with a backlog. The comparisons are:
 * one counter update per event through the driver, updates of all counters that the events feed, and one aggregator
 * against itself without watermarks (neither written nor checked).
 */
export async function clusterAggregatorBench(): Promise<void> {
  if (!kafkaBrokers || !cassandraContactPoints)
    return console.log('  SKIPPED: HOPPER_KAFKA_BROKERS and HOPPER_CASSANDRA_CONTACT_POINTS name no engines')
  const updates = await withStorage(compareAlone)
  await withStorage((own) => compareShared(own, updates))
}

/** A topic and a keyspace of this bench, with their readers and writers. */
interface Own {
  readonly storage: Storage
  readonly client: Client
  readonly target: AggregatorTarget
}

async function withStorage<T>(work: (own: Own) => Promise<T>): Promise<T> {
  const [brokers, contactPoints, dataCenter, name] = [
    kafkaBrokers!,
    cassandraContactPoints!,
    'datacenter1',
    `bench_${randomBytes(6).toString('hex')}`,
  ]
  const settings: CassandraSettings = { ...cassandraDefaults, contactPoints, dataCenter, keyspace: name }
  await migrate(settings)
  const log = await new KafkaEventLog({ ...kafkaDefaults, brokers, lanes: LANES, topic: name, group: name }).connect()
  const storage = withLog(await openCassandra(settings, LANES), log)
  const client = new Client({ contactPoints: [...contactPoints], localDataCenter: dataCenter, keyspace: name })
  try {
    return await work({ storage, client, target: { brokers, contactPoints, dataCenter, name, lanes: LANES } })
  } finally {
    await storage.close()
    await client.execute(`DROP KEYSPACE ${name}`, [], { readTimeout: 60_000 })
    await client.shutdown()
  }
}

/**
 * Counter updates through the driver: its fastest concurrency, and the cost per event of updating every counter that
 * the event feeds.
 */
interface Updates {
  readonly concurrency: number
  readonly naive: Run
}

/** Compares one aggregator in this process with itself without watermarks, and measures its parts. */
async function compareAlone({ storage, client }: Own): Promise<Updates> {
  const { writer, archive } = storage
  const full = { writer, archive } as Target
  const without = { writer: withoutWatermarks(writer, client), archive } as Target
  const count = (target: Target): Promise<Run> => counted(storage, target)
  for (const target of [full, without, full]) await count(target)
  const on: Run[] = []
  const off: Run[] = []
  const bare: Run[] = []
  const concurrency = await bestConcurrency(client)
  for (let round = 0; round < ROUNDS; round++) {
    // The order alternates, because the second run meets a busier Cassandra.
    const first = await count(round % 2 === 0 ? full : without)
    const second = await count(round % 2 === 0 ? without : full)
    on.push(round % 2 === 0 ? first : second)
    off.push(round % 2 === 0 ? second : first)
    bare.push(await updated(client, concurrency))
  }
  console.log(`  one aggregator counts and archives ${figures(middle(on))}`)
  console.log(`  without watermarks ${figures(middle(off))}`)
  await parts(count, writer)
  console.log(
    compared(
      'one aggregator : one counter update for each event',
      ratios(on, (run, index) => run.rate / bare[index]!.rate),
    ),
  )
  console.log(
    reportLine(
      'exactly-once on : off',
      ratios(on, (run, index) => run.rate / off[index]!.rate),
      EXACT_BAR,
    ),
  )
  console.log(
    reportLine(
      'exactly-once on : off, by CPU of all processes',
      ratios(on, (run, index) => cpu(off[index]!) / cpu(run)),
      EXACT_BAR,
    ),
  )
  return { concurrency, naive: await everyCounter(storage, client, concurrency) }
}

/**
 * Measures processes that share the lanes, as `--scale aggregator=2` starts them. One alone leaves a core to the node,
 * which needs a third of it.
 */
async function compareShared({ storage, client, target }: Own, { concurrency, naive }: Updates): Promise<void> {
  const processes = await AggregatorProcesses.start(PROCESSES, target)
  try {
    const shared: Run[] = []
    const bare: Run[] = []
    for (let round = -WARM_UPS; round < ROUNDS; round++) {
      processes.hold()
      await fillLog(storage, `shared${round}`, ENVELOPES, EVENTS)
      const run = await measureRun(ENVELOPES * EVENTS, () => processes.count(ENVELOPES * EVENTS), processes.pids)
      const one = await updated(client, concurrency)
      if (round < 0) continue
      shared.push(run)
      bare.push(one)
    }
    console.log(`  ${PROCESSES} aggregators count and archive ${figures(middle(shared))}`)
    console.log(`  one counter update for each event, ${concurrency} at once: ${figures(middle(bare))}`)
    console.log(`  an update of each counter that an event feeds: ${figures(naive)}`)
    console.log(
      reportLine(
        'aggregators on Cassandra : one counter update for each event',
        ratios(shared, (run, index) => run.rate / bare[index]!.rate),
        TIMES_BAR,
      ),
    )
    console.log(
      compared(
        'the same by CPU of all processes',
        ratios(shared, (run, index) => cpu(bare[index]!) / cpu(run)),
      ),
    )
    console.log(
      compared(
        'aggregators : an update of each counter that an event feeds',
        ratios(shared, (run) => run.rate / naive.rate),
      ),
    )
    console.log(
      compared(
        'the same by CPU of all processes',
        ratios(shared, (run) => cpu(naive) / cpu(run)),
      ),
    )
  } finally {
    await processes.stop()
  }
}

async function everyCounter(storage: Storage, client: Client, concurrency: number): Promise<Run> {
  const all = updatesWithoutFolding(
    await fillLog(storage, 'naive', 0, 0),
    envelopes('naive', COUNTED / EVENTS, EVENTS),
    LANES,
  )
  return perEvent(await sent(client, all, concurrency), all.length / COUNTED)
}

/** Measures the cost of the parts: each run does one thing more than the previous one. */
async function parts(count: (target: Target) => Promise<Run>, writer: TableWriter): Promise<void> {
  const none = undefined as unknown as NonNullable<Target['archive']>
  console.log(`  of that, reading the log and folding it: ${figures(await count({ writer: noTables, archive: none }))}`)
  console.log(
    `    and encoding the chunks of the archive: ${figures(await count({ writer: noTables, archive: noArchive }))}`,
  )
  console.log(`    or writing the tables, no archive: ${figures(await count({ writer, archive: none }))}`)
}

let runs = 0

async function counted(storage: Storage, target: Target): Promise<Run> {
  const id = `run${runs++}`
  await fillLog(storage, id, ENVELOPES, EVENTS)
  return measureRun(ENVELOPES * EVENTS, () => aggregate(storage, id, ENVELOPES * EVENTS, target))
}

/** One counter update per event. */
function updated(client: Client, concurrency: number): Promise<Run> {
  return sent(client, oneUpdatePerEvent(UPDATES, LANES), concurrency)
}

async function sent(client: Client, updates: readonly CounterUpdate[], concurrency: number): Promise<Run> {
  return measureRun(updates.length, async () => updates.length / (await sendAll(client, updates, concurrency)))
}

/** Returns the concurrency at which the driver is fastest. */
async function bestConcurrency(client: Client): Promise<number> {
  await updated(client, CONCURRENCIES[0]!)
  const found: { readonly concurrency: number; readonly rate: number }[] = []
  for (const concurrency of CONCURRENCIES)
    found.push({
      concurrency,
      rate: median([(await updated(client, concurrency)).rate, (await updated(client, concurrency)).rate]),
    })
  return found.reduce((best, each) => (each.rate > best.rate ? each : best)).concurrency
}

/**
 * Runs `work`, which returns a rate, once Cassandra has finished the previous work. Reports the CPU that each process
 * has used per item, out of `count`. Our own processes are this one and those of `pids`.
 */
async function measureRun(count: number, work: () => Promise<number>, pids: readonly number[] = []): Promise<Run> {
  const [cassandra, kafka] = [processOn(cassandraContactPoints![0]!), processOn(kafkaBrokers![0]!)]
  const used = (): [number, number, number] => {
    const { user, system } = process.cpuUsage()
    return [pids.reduce((sum, pid) => sum + cpuOf(pid), user + system), cpuOf(cassandra), cpuOf(kafka)]
  }
  await whenIdle(cassandra)
  const before = used()
  const rate = await work()
  const [own, ofCassandra, ofKafka] = used().map((after, index) => (after - before[index]!) / count) as [
    number,
    number,
    number,
  ]
  return { rate, own, cassandra: ofCassandra, kafka: ofKafka }
}

/** Returns the same writer with plain counter updates: it neither reads, writes nor checks watermarks. */
function withoutWatermarks(writer: TableWriter, client: Client): TableWriter {
  return withOverrides(writer, {
    applied: async (_lane, partitions) => partitions.map(() => -1),
    apply: async (lease, batch) => {
      await writer.apply(lease, { ...batch, counters: [] })
      await Promise.all(
        batch.counters.map((change) =>
          client.batch(
            updatesOf(change, batch.lane).map(({ query, params }) => ({ query, params: [...params] })),
            { prepare: true, counter: true },
          ),
        ),
      )
    },
  })
}

function cpu({ own, cassandra, kafka }: Run): number {
  return own + cassandra + kafka
}

function perEvent({ rate, own, cassandra, kafka }: Run, updates: number): Run {
  return { rate: rate / updates, own: own * updates, cassandra: cassandra * updates, kafka: kafka * updates }
}

function middle(some: readonly Run[]): Run {
  const medianOf = (name: keyof Run): number => median(some.map((run) => run[name]))
  return { rate: medianOf('rate'), own: medianOf('own'), cassandra: medianOf('cassandra'), kafka: medianOf('kafka') }
}

function figures(run: Run): string {
  return (
    `${Math.round(run.rate)} events/s, CPU ${cpu(run).toFixed(1)} us an event ` +
    `(ours ${run.own.toFixed(1)}, Cassandra ${run.cassandra.toFixed(1)}, Kafka ${run.kafka.toFixed(1)})`
  )
}

function ratios(
  some: readonly Run[],
  valueOf: (run: Run, index: number) => number,
): { ratio: number; ratioMin: number; ratioMax: number } {
  const all = some.map(valueOf)
  return { ratio: median(all), ratioMin: Math.min(...all), ratioMax: Math.max(...all) }
}

function compared(what: string, { ratio, ratioMin, ratioMax }: ReturnType<typeof ratios>): string {
  return `  ${what}: ratio ${ratio.toFixed(2)} (${ratioMin.toFixed(2)} to ${ratioMax.toFixed(2)})`
}
