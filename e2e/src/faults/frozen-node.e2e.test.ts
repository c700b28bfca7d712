import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { startCassandraRing, type CassandraNode } from '../engines/cassandra-jar.ts'
import { canUseJars, jarCache } from '../engines/jars.ts'
import { apps, provision } from './apps.fixture.ts'
import { runTrial, expectExact } from './trial.fixture.ts'
import { pathsOf, read, Reads, type Read } from './reads.fixture.ts'

const engines = inject('engines')
const FROZEN_MS = 15_000
/** Bound of the 95th percentile: a machine that runs four nodes and other tests delays some answers in any case. */
const READ_MS_MAX = 3_000

describe.skipIf(!engines || !(await canUseJars()))('one of three Cassandra nodes that is frozen under load', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-frozen-node-'))
  let nodes: CassandraNode[] = []
  let installation: Cluster
  beforeAll(async () => {
    nodes = await startCassandraRing(dir, jarCache)
    const [{ contactPoint, dataCenter }] = nodes as [CassandraNode]
    const env = {
      HOPPER_CASSANDRA_CONTACT_POINTS: nodes.map((node) => node.contactPoint).join(),
      HOPPER_CASSANDRA_REPLICATION: '3',
      HOPPER_LOG_LEVEL: 'fatal',
    }
    installation = await cluster({ ...engines!, cassandra: contactPoint, dataCenter }, { provision, env })
  }, 360_000)
  afterAll(async () => {
    for (const { process } of nodes) process.child.kill('SIGCONT')
    await installation?.dispose()
    await Promise.all(nodes.map(({ process }) => process.stop()))
    rmSync(dir, { recursive: true, force: true })
  })

  /** Returns the API's answers while a node is frozen. */
  const readsWhileFrozen = async ({ process, contactPoint, dataCenter }: CassandraNode): Promise<readonly Read[]> => {
    process.child.kill('SIGSTOP')
    try {
      // The control: a client that has only this node waits in vain.
      const alone = new Client({
        contactPoints: [contactPoint],
        localDataCenter: dataCenter,
        socketOptions: { connectTimeout: 1_000 },
      })
      const reads = new Reads(installation.apiUrl, apps.tested)
      await expect(alone.connect()).rejects.toThrow()
      await alone.shutdown()
      await new Promise((resolve) => setTimeout(resolve, FROZEN_MS))
      return await reads.stop()
    } finally {
      process.child.kill('SIGCONT')
    }
  }

  it('delays no read by more than three seconds, whichever node it is, and leaves no number wrong', async () => {
    const reads: Read[] = []
    const result = await runTrial({ installation, app: apps.tested, seed: 81, perSecond: 10 }, async (sending) => {
      await sending.more(50)
      // The first answers of a process take some seconds on a busy machine, whatever the nodes do.
      await Promise.all(pathsOf(apps.tested).map((path) => read(installation.apiUrl, path, apps.tested.read)))
      for (const node of nodes) reads.push(...(await readsWhileFrozen(node)))
      await sending.more(20)
    })
    expectExact(result)
    expect(reads.length).toBeGreaterThan(100)
    expect(reads.filter(({ status }) => status !== 200)).toEqual([])
    const sorted = reads.map(({ ms }) => ms).sort((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length * 0.95)]).toBeLessThan(READ_MS_MAX)
  }, 480_000)
})
