import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jarCache, longLived, startCassandra, startKafka } from '@hopper/e2e'

/** A broker and a node of the bench, from jars, with heaps of 384 and 768 MB. */
export interface OwnEngines {
  readonly kafka: string
  readonly cassandra: string
  readonly dataCenter: string
  readonly kafkaPid: number
  readonly cassandraPid: number
}

/** Starts both engines on free ports, and stops them when the work with them is done. */
export async function withOwnEngines(work: (engines: OwnEngines) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-bench-'))
  const [kafka, cassandra] = await Promise.all([
    startKafka(join(dir, 'kafka'), jarCache, { flags: longLived }),
    startCassandra(join(dir, 'cassandra'), jarCache, longLived),
  ])
  try {
    await work({
      kafka: kafka.address,
      cassandra: cassandra.contactPoint,
      dataCenter: cassandra.dataCenter,
      kafkaPid: kafka.process.child.pid!,
      cassandraPid: cassandra.process.child.pid!,
    })
  } finally {
    await Promise.all([kafka.process.stop(), cassandra.process.stop()])
    rmSync(dir, { recursive: true, force: true })
  }
}
