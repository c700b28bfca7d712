import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { Engines } from '@hopper/storage/contract/engines'
import { environment } from '../installations/config.ts'
import { lazySchema, startCassandra } from './cassandra-jar.ts'
import { startCassandraContainer, startKafkaContainer } from './containers.ts'
import { canUseJars, jarCache } from './jars.ts'
import { longLived } from './java-process.ts'
import { startKafka } from './kafka-jar.ts'

interface Started {
  readonly engines: Engines
  readonly stop: () => Promise<unknown>
}

/**
 * Provides the Kafka and the Cassandra of the whole run: those that HOPPER_KAFKA_BROKERS and
 * HOPPER_CASSANDRA_CONTACT_POINTS name; else containers of the Docker engine that DOCKER_HOST names; else, with
 * HOPPER_REQUIRE_ENGINES=1, processes from the jars that Maven publishes. Without any of them, the run reports it on
 * one line, or fails with HOPPER_REQUIRE_ENGINES=1. Tells tests whether the run is thorough (HOPPER_THOROUGH=1).
 */
export default async function setup(project: TestProject): Promise<(() => Promise<unknown>) | undefined> {
  const {
    HOPPER_KAFKA_BROKERS: kafka,
    HOPPER_CASSANDRA_CONTACT_POINTS: cassandra,
    HOPPER_CASSANDRA_DC: dataCenter = 'datacenter1',
    HOPPER_THOROUGH: thorough,
  } = environment
  project.provide('thorough', thorough === '1')
  if (kafka && cassandra) {
    project.provide('engines', { kafka, cassandra, dataCenter })
    return undefined
  }
  const start = await starter()
  if (!start) {
    console.log('Kafka and Cassandra: SKIPPED, no engines in this run (set HOPPER_REQUIRE_ENGINES=1 to start them)')
    project.provide('engines', undefined)
    return undefined
  }
  const { engines, stop } = await start()
  project.provide('engines', engines)
  return stop
}

async function starter(): Promise<(() => Promise<Started>) | undefined> {
  if (environment.DOCKER_HOST) return startContainers
  if (environment.HOPPER_REQUIRE_ENGINES !== '1') return undefined
  if (await canUseJars()) return startJars
  throw new Error(
    'HOPPER_REQUIRE_ENGINES=1, but no engines are named, DOCKER_HOST names no Docker engine, ' +
      'and Java and Maven are not installed to start them',
  )
}

async function startContainers(): Promise<Started> {
  const outcomes = await Promise.allSettled([startKafkaContainer(), startCassandraContainer()])
  const stop = (): Promise<unknown> =>
    Promise.all(outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value.stop()] : [])))
  const failed = outcomes.find((each) => each.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  const [kafka, cassandra] = outcomes.map((each) => (each as PromiseFulfilledResult<{ address: string }>).value.address)
  return { engines: { kafka: kafka!, cassandra: cassandra!, dataCenter: 'datacenter1' }, stop }
}

async function startJars(): Promise<Started> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-engines-'))
  const broker = await startKafka(join(dir, 'kafka'), jarCache, { flags: longLived })
  const node = await startCassandra(join(dir, 'cassandra'), jarCache, [...longLived, lazySchema])
  return {
    engines: { kafka: broker.address, cassandra: node.contactPoint, dataCenter: node.dataCenter },
    stop: async () => {
      await Promise.all([broker.process.stop(), node.process.stop()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
