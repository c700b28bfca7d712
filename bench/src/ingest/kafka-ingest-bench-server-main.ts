import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ingestPlugin } from '@hopper/ingest'
import { openEmbedded } from '@hopper/storage/embedded'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import fastify from 'fastify'
import { Registry } from 'prom-client'
import { putApp, putWriteKey } from '../harness/bench-app.ts'
import { Groups } from './kafka-ingest-bench-groups.ts'

/** The destination of the bench's events. */
export interface KafkaIngestTarget {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly lanes: number
}

/** Figures since the previous request. */
export interface IngestFigures {
  readonly messagesPerRequest: number
  readonly cpuUs: number
}

/** Runs ingest alone over Kafka. The registry, which is cached, is a small embedded one. */
const target = JSON.parse(process.argv[2]!) as KafkaIngestTarget
const dir = mkdtempSync(join(tmpdir(), 'hopper-bench-'))
const storage = await openEmbedded({ dir, lanes: target.lanes })
const { registry } = storage
await putWriteKey(registry, await putApp(registry))

const log = await new KafkaEventLog({ ...kafkaDefaults, ...target }).connect()
const groups = new Groups()
const append = log.append.bind(log)
log.append = async (envelopes) => groups.count(await append(envelopes))
const server = fastify()
await server.register(ingestPlugin, {
  log,
  registry: storage.registry,
  secrets: storage.secrets,
  health: async () => [await log.health()],
  metrics: new Registry(),
})
await server.listen({ port: 0, host: '127.0.0.1' })
process.send!({ port: (server.server.address() as AddressInfo).port })
let used = process.cpuUsage()
process.on('message', () => {
  const { user, system } = process.cpuUsage(used)
  used = process.cpuUsage()
  process.send!({ messagesPerRequest: groups.mean(), cpuUs: user + system } satisfies IngestFigures)
})

const end = async (): Promise<void> => {
  await server.close()
  await log.close()
  await storage.close()
  rmSync(dir, { recursive: true, force: true })
  process.exit()
}
process.on('SIGTERM', () => void end())
process.on('disconnect', () => void end())
