import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { WRITE_KEY } from '../harness/bench-app.ts'
import { bodies, userAgent } from '../harness/bodies.ts'
import { kafkaBrokers } from '../harness/config.ts'
import type { BareProducerFigures, BareProducerOrder } from './kafka-ingest-bench-bare-main.ts'
import type { IngestFigures, KafkaIngestTarget } from './kafka-ingest-bench-server-main.ts'
import { leanLoad } from '../harness/lean-load.ts'
import { median, paired, reportLine } from '../harness/paired.ts'

const SECONDS = 2
const ROUNDS = 11
const ROUNDS_SERVED = 5
const CONNECTIONS = 64
const EVENTS = 50
const LANES = 8
const BAR = 0.7
const MESSAGES = 200

/**
 * Compares ingest over HTTP into Kafka, acks=all, with a bare kafkajs producer that sends the messages that ingest
 * wrote, as many per request as ingest.
 */
export async function kafkaIngestBench(): Promise<void> {
  if (!kafkaBrokers) return console.log('  SKIPPED: HOPPER_KAFKA_BROKERS names no Kafka')
  const topic = `hopper-bench-${randomBytes(6).toString('hex')}`
  const target: KafkaIngestTarget = { brokers: kafkaBrokers, topic, lanes: LANES }
  const [ingest, bare] = [
    start('./kafka-ingest-bench-server-main.js', target),
    start('./kafka-ingest-bench-bare-main.js', { ...target, topic: `${topic}-bare` }),
  ]
  try {
    const [{ port }, { port: barePort }] = await Promise.all([
      answer<{ port: number }>(ingest),
      answer<{ port: number }>(bare),
    ])
    const payloads = bodies(MESSAGES, EVENTS)
    await eventsPerSecond(port, payloads)
    let { messagesPerRequest } = await request<IngestFigures>(ingest, {})
    const values = await written(target)
    const cpu: { hopper: number[]; bare: number[] } = { hopper: [], bare: [] }
    const overHttp = async (): Promise<number> => {
      const reached = await eventsPerSecond(port, payloads)
      const figures = await request<IngestFigures>(ingest, {})
      messagesPerRequest = figures.messagesPerRequest
      cpu.hopper.push(figures.cpuUs / (reached * SECONDS))
      return reached
    }
    const alone = async (): Promise<number> => {
      const order: BareProducerOrder = {
        seconds: SECONDS,
        messagesPerRequest: Math.round(messagesPerRequest),
        events: EVENTS,
        values,
      }
      const figures = await request<BareProducerFigures>(bare, order)
      cpu.bare.push(figures.cpuUsPerEvent)
      return figures.eventsPerSecond
    }
    const result = await paired(ROUNDS, overHttp, alone)
    const bytes = values.reduce((sum, value) => sum + Buffer.byteLength(value, 'base64'), 0) / values.length
    console.log(
      `  ${Math.round(messagesPerRequest)} messages of ${EVENTS} events ` +
        `and ${Math.round(bytes)} bytes in a request of either, at the last`,
    )
    console.log(
      `  hopper ${Math.round(result.a)} events/s, ${median(cpu.hopper).toFixed(1)} us CPU an event; ` +
        `bare kafkajs ${Math.round(result.b)} events/s, ${median(cpu.bare).toFixed(1)} us`,
    )
    console.log(reportLine('ingest to Kafka, bodies of 50 events, acks=all : bare kafkajs producer', result, BAR))
    const served = await paired(
      ROUNDS_SERVED,
      () => eventsPerSecond(port, payloads),
      () => eventsPerSecond(barePort, payloads),
    )
    console.log(
      `  the same : bare node:http that hands the body to kafkajs: ` +
        `ratio ${served.ratio.toFixed(2)} (${served.ratioMin.toFixed(2)} to ${served.ratioMax.toFixed(2)}), no bar`,
    )
  } finally {
    for (const child of [ingest, bare]) child.kill()
    await remove(target.brokers, [topic, `${topic}-bare`])
  }
}

/** Without this, the topics of the bench would stay forever. */
async function remove(brokers: readonly string[], topics: string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics })
  await admin.disconnect()
}

function start(file: string, target: KafkaIngestTarget): ChildProcess {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(target)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return child.once(
    'exit',
    (code) => code && child.emit('error', new Error(`a process of the bench ended with ${code}`)),
  )
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T]
  return message
}

async function request<T>(child: ChildProcess, order: object): Promise<T> {
  const answered = answer<T>(child)
  child.send(order)
  return answered
}

/** Returns the events per second that were acknowledged. Any answer but 202 is a measurement error. */
async function eventsPerSecond(port: number, payloads: readonly string[]): Promise<number> {
  const requests = await leanLoad({
    port,
    path: `/v1/events?key=${WRITE_KEY}`,
    headers: { 'content-type': 'application/json', 'user-agent': userAgent },
    bodies: payloads,
    connections: CONNECTIONS,
    seconds: SECONDS,
  })
  return requests * EVENTS
}

/** Returns the messages that ingest wrote, as base64. */
async function written(target: KafkaIngestTarget): Promise<string[]> {
  const log = await new KafkaEventLog({ ...kafkaDefaults, ...target }).connect()
  try {
    const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => log.read(lane, 0, MESSAGES / LANES)))
    return lanes.flat().map(({ value }) => Buffer.from(value).toString('base64'))
  } finally {
    await log.close()
  }
}
