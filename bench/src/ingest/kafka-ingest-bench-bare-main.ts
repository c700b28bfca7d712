import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { laneOf } from '@hopper/contracts'
import { Kafka, logLevel } from 'kafkajs'
import type { KafkaIngestTarget } from './kafka-ingest-bench-server-main.ts'

/** One measurement of the bare producer. */
export interface BareProducerOrder {
  readonly seconds: number
  readonly messagesPerRequest: number
  /** number of events per message */
  readonly events: number
  /** the messages, in base64 */
  readonly values: readonly string[]
}

/** The throughput, and the resources that the process used meanwhile. */
export interface BareProducerFigures {
  readonly eventsPerSecond: number
  readonly cpuUsPerEvent: number
}

/**
 * The baselines: kafkajs' idempotent producer, acks=all, alone, and behind a `node:http` that parses the body and
 * forwards it unchanged.
 */
const { brokers, topic, lanes } = JSON.parse(process.argv[2]!) as KafkaIngestTarget
const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: lanes, replicationFactor: 1 }] })
await admin.disconnect()
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()

interface Waiting {
  readonly message: { readonly partition: number; readonly value: Buffer }
  readonly stored: () => void
}
let waiting: Waiting[] = []
let sending = false

const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1', () =>
  process.send!({ port: (server.address() as AddressInfo).port }),
)
process.on('message', (order: BareProducerOrder) => void measure(order).then((figures) => process.send!(figures)))
process.on('disconnect', () => process.exit())

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const value = await bodyOf(request)
  const { device_id, events } = JSON.parse(value.toString('utf8')) as { device_id: string; events: unknown[] }
  const message = { partition: laneOf('bench', device_id, lanes), value }
  await new Promise<void>((stored) => (waiting.push({ message, stored }), void send()))
  response
    .writeHead(202, { 'content-type': 'application/json' })
    .end(JSON.stringify({ accepted: events.length, rejected: [] }))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Sends requests in sequence, each with everything that waits. */
async function send(): Promise<void> {
  if (sending) return
  sending = true
  for (let group = waiting; group.length > 0; group = waiting) {
    waiting = []
    await producer.send({ topic, acks: -1, messages: group.map(({ message }) => message) })
    for (const { stored } of group) stored()
  }
  sending = false
}

async function measure({
  seconds,
  messagesPerRequest,
  events,
  values,
}: BareProducerOrder): Promise<BareProducerFigures> {
  const messages = values.map((value, index) => ({ partition: index % lanes, value: Buffer.from(value, 'base64') }))
  const started = performance.now()
  const used = process.cpuUsage()
  let stored = 0
  for (let next = 0; performance.now() - started < seconds * 1_000; next += messagesPerRequest) {
    await producer.send({
      topic,
      acks: -1,
      messages: Array.from({ length: messagesPerRequest }, (_, index) => messages[(next + index) % messages.length]!),
    })
    stored += messagesPerRequest
  }
  const { user, system } = process.cpuUsage(used)
  return {
    eventsPerSecond: (stored * events * 1_000) / (performance.now() - started),
    cpuUsPerEvent: (user + system) / (stored * events),
  }
}
