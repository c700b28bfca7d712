import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import '@hopper/storage/contract/engines'
import { environment } from '../config.ts'
import { startCassandra } from './cassandra-jar.ts'
import { canUseJars, jarCache } from './jars.ts'
import { startKafka } from './kafka-jar.ts'

/**
 * Starts one Kafka and one Cassandra for the whole run, or takes those that HOPPER_KAFKA_BROKERS and HOPPER_CASSANDRA_CONTACT_POINTS name. Where none can be had
 * the run says so in one line; with HOPPER_REQUIRE_ENGINES=1 it fails instead.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { HOPPER_KAFKA_BROKERS: kafka, HOPPER_CASSANDRA_CONTACT_POINTS: cassandra, HOPPER_CASSANDRA_DC: dataCenter = 'datacenter1' } = environment
  if (kafka && cassandra) {
    project.provide('engines', { kafka, cassandra, dataCenter })
    return undefined
  }
  const required = environment.HOPPER_REQUIRE_ENGINES === '1'
  if (!required || !(await canUseJars())) {
    if (required) throw new Error('HOPPER_REQUIRE_ENGINES=1, but neither engines are named nor are Java and Maven here to start them')
    console.log('Kafka and Cassandra: SKIPPED, no engines in this run (set HOPPER_REQUIRE_ENGINES=1 to start them)')
    project.provide('engines', undefined)
    return undefined
  }
  return startEngines(project)
}

async function startEngines(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-engines-'))
  const broker = await startKafka(join(dir, 'kafka'), jarCache)
  const node = await startCassandra(join(dir, 'cassandra'), jarCache)
  project.provide('engines', { kafka: broker.address, cassandra: node.contactPoint, dataCenter: node.dataCenter })
  return async () => {
    await Promise.all([broker.process.stop(), node.process.stop()])
    rmSync(dir, { recursive: true, force: true })
  }
}
