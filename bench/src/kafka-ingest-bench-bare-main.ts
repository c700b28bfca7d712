import { Kafka, logLevel } from 'kafkajs'
import type { KafkaIngestTarget } from './kafka-ingest-bench-server-main.ts'

/** One measurement of the bare producer. */
export interface BareProducerOrder {
  readonly seconds: number
  readonly messagesPerRequest: number
  /** events of a message */
  readonly events: number
  /** the messages, in base64 */
  readonly values: readonly string[]
}

/** What was reached, and what the process used meanwhile. */
export interface BareProducerFigures {
  readonly eventsPerSecond: number
  readonly cpuUsPerEvent: number
}

/** The yardstick: kafkajs' idempotent producer, acks=all, one request after the other, each with so many messages, and nothing else. */
const { brokers, topic, lanes } = JSON.parse(process.argv[2]!) as KafkaIngestTarget
const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: lanes, replicationFactor: 1 }] })
await admin.disconnect()
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()

process.on('message', async (order: BareProducerOrder) => process.send!(await measure(order)))
process.on('disconnect', () => process.exit())
process.send!({})

async function measure({ seconds, messagesPerRequest, events, values }: BareProducerOrder): Promise<BareProducerFigures> {
  const messages = values.map((value, at) => ({ partition: at % lanes, value: Buffer.from(value, 'base64') }))
  const started = performance.now()
  const used = process.cpuUsage()
  let stored = 0
  for (let next = 0; performance.now() - started < seconds * 1_000; next += messagesPerRequest) {
    await producer.send({ topic, acks: -1, messages: Array.from({ length: messagesPerRequest }, (_, at) => messages[(next + at) % messages.length]!) })
    stored += messagesPerRequest
  }
  const { user, system } = process.cpuUsage(used)
  return { eventsPerSecond: (stored * events * 1_000) / (performance.now() - started), cpuUsPerEvent: (user + system) / (stored * events) }
}
