import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { mulberry32 } from '../traffic/random-traffic.ts'
import { Service } from '../installations/service.ts'
import { apps, provision } from './apps.fixture.ts'
import { waitForBatch, randomPause } from './aggregator-state.fixture.ts'
import { runTrial, expectExact, rowsCountedTwice } from './trial.fixture.ts'

const engines = inject('engines')

/** Restarts each aggregator once it has counted a batch; every third round kills it instead of stopping it. */
async function joinAndLeave(services: readonly Service[], rounds: number, random: () => number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const service of services) {
      await waitForBatch(service)
      await randomPause(random, 500)
      await service.stop(round % 3 === 2 ? 'SIGKILL' : 'SIGTERM')
      await service.start()
    }
  }
}

describe.skipIf(!engines)('two aggregators that join and leave in a loop', () => {
  let installation: Cluster
  beforeAll(
    async () =>
      void (installation = await cluster(engines!, {
        provision,
        aggregators: 2,
        env: { HOPPER_LOG_LEVEL: 'error', HOPPER_LEASE_MS: '3000' },
      })),
  )
  afterAll(() => installation?.dispose())

  it('hand over their lanes without loss or duplication', async () => {
    expectExact(
      await runTrial({ installation, app: apps.tested, seed: 31 }, () =>
        joinAndLeave(installation.aggregators, 3, mulberry32(31)),
      ),
    )
  }, 480_000)

  it('control: without the watermark check, lanes handed over by a kill count twice', async () => {
    const unsafe = (): Promise<Service> =>
      Service.of('aggregator', [], { ...installation.env, HOPPER_UNSAFE_NO_WATERMARK: '1' })
    const aggregators = [await unsafe(), await unsafe()]
    const result = await runTrial({ installation, app: apps.control, aggregators, seed: 32 }, () =>
      joinAndLeave(aggregators, 3, mulberry32(32)),
    )
    expect(rowsCountedTwice(result)).toBeGreaterThan(0)
  }, 360_000)
})
