import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { startCassandra, type CassandraNode } from '../engines/cassandra-jar.ts'
import { canUseJars, jarCache } from '../engines/jars.ts'
import { Service } from '../installations/service.ts'
import { apps, provision } from './apps.fixture.ts'
import { waitForBatch } from './aggregator-state.fixture.ts'
import { runTrial, expectExact, rowsCountedTwice } from './trial.fixture.ts'

const engines = inject('engines')

describe.skipIf(!engines || !(await canUseJars()))('Cassandra that is stopped and started under load', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-cassandra-unavailable-'))
  let node: CassandraNode
  let installation: Cluster
  beforeAll(async () => {
    node = await startCassandra(dir, jarCache)
    installation = await cluster(
      { ...engines!, cassandra: node.contactPoint, dataCenter: node.dataCenter },
      { provision, env: { HOPPER_LOG_LEVEL: 'fatal' } },
    )
  }, 360_000)
  afterAll(async () => {
    await installation?.dispose()
    await node?.process.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  /** Stops the node while an aggregator counts, in the middle of its writes, and starts it again. */
  const stopAndRestart = async (aggregator: Service, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await waitForBatch(aggregator)
    if (signal === 'SIGKILL') node.process.child.kill('SIGKILL')
    await node.process.stop()
    node = await node.restart()
    await waitForBatch(aggregator)
  }

  it('leaves no number wrong, stopped once and killed once', async () => {
    const [aggregator] = installation.aggregators as [Service]
    expectExact(
      await runTrial({ installation, app: apps.tested, seed: 71 }, async () => {
        await stopAndRestart(aggregator, 'SIGTERM')
        await stopAndRestart(aggregator, 'SIGKILL')
      }),
    )
  }, 480_000)

  it('control: without the watermark check, writes applied before the stop count twice', async () => {
    const unsafe = await Service.of('aggregator', [], { ...installation.env, HOPPER_UNSAFE_NO_WATERMARK: '1' })
    const result = await runTrial({ installation, app: apps.control, aggregators: [unsafe], seed: 72 }, () =>
      stopAndRestart(unsafe, 'SIGKILL'),
    )
    expect(rowsCountedTwice(result)).toBeGreaterThan(0)
  }, 480_000)
})
