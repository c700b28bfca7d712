import { Aggregator } from '@hopper/aggregator'
import { withOverrides, withLog } from '@hopper/storage'
import { cassandraDefaults, openCassandra } from '@hopper/storage/cassandra'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { reportingWriter } from './aggregate.ts'

/** The source and destination of the bench's processes. */
export interface AggregatorTarget {
  readonly brokers: readonly string[]
  readonly contactPoints: readonly string[]
  readonly dataCenter: string
  /** of the topic, the group and the keyspace */
  readonly name: string
  readonly lanes: number
}

/** A report of such a process: the number of lanes that it owns, or of events counted since the previous report. */
export type AggregatorNews = { readonly lanes: number } | { readonly counted: number }

/** One of several aggregators. */
const { brokers, contactPoints, dataCenter, name, lanes } = JSON.parse(process.argv[2]!) as AggregatorTarget
const log = await new KafkaEventLog({ ...kafkaDefaults, brokers, lanes, topic: name, group: name }).connect()
const storage = withLog(
  await openCassandra({ ...cassandraDefaults, contactPoints, dataCenter, keyspace: name }, lanes),
  log,
)
const own = new Set<number>()
const report = (news: AggregatorNews): void => void process.send!(news)

const watched = withOverrides(log, {
  subscribe: (consumer) =>
    log.subscribe(
      withOverrides(consumer, {
        assigned: async (lane) => {
          const position = await consumer.assigned(lane)
          report({ lanes: own.add(lane).size })
          return position
        },
        revoked: async (lane) => {
          own.delete(lane)
          await consumer.revoked(lane)
          report({ lanes: own.size })
        },
      }),
    ),
})
const writer = reportingWriter(storage.writer, (counted) => report({ counted }))
const aggregator = new Aggregator({
  log: watched,
  lanes: storage.lanes,
  registry: storage.registry,
  writer,
  archive: storage.archive!,
  owner: `bench-${process.pid}`,
})
await aggregator.start()

const end = async (): Promise<void> => {
  await aggregator.close()
  await storage.close()
  process.exit()
}
process.on('SIGTERM', () => void end())
process.on('disconnect', () => void end())
