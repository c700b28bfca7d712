import { Aggregator } from '@hopper/aggregator'
import { withLog, type Storage } from '@hopper/storage'
import { cassandraDefaults, openCassandra } from '@hopper/storage/cassandra'
import { openEmbedded } from '@hopper/storage/embedded'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { reportingWriter } from './aggregate.ts'
import type { AggregatorTarget } from './aggregator-process-main.ts'

/** The source and destination of the process: a directory, or engines. */
export type ImportTarget = { readonly dir: string; readonly lanes: number } | AggregatorTarget

/** A message of the process: it is ready to begin, or the number of events counted since the previous message. */
export type ImportNews = 'ready' | { readonly counted: number }

/** Runs an aggregator that begins on request, so that the idle memory of its process can be measured first. */
const target = JSON.parse(process.argv[2]!) as ImportTarget
const storage = await open(target)
const say = (news: ImportNews): void => void process.send!(news)
const writer = reportingWriter(storage.writer, (counted) => say({ counted }))
const { log, lanes, registry, archive } = storage
const logger = { info: () => undefined, warn: console.warn, error: console.error }
const aggregator = new Aggregator({
  log,
  lanes,
  registry,
  writer,
  owner: `bench-${process.pid}`,
  logger,
  ...(archive ? { archive } : {}),
})

process.once('message', () => void aggregator.start())
process.on(
  'SIGTERM',
  () =>
    void aggregator
      .close()
      .then(() => storage.close())
      .then(() => process.exit()),
)
say('ready')

async function open(target: ImportTarget): Promise<Storage> {
  if ('dir' in target) return openEmbedded(target)
  const { brokers, contactPoints, dataCenter, name, lanes: count } = target
  const kafka = await new KafkaEventLog({ ...kafkaDefaults, brokers, lanes: count, topic: name, group: name }).connect()
  return withLog(await openCassandra({ ...cassandraDefaults, contactPoints, dataCenter, keyspace: name }, count), kafka)
}
