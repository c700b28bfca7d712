import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { mulberry32 } from '../traffic/random-traffic.ts'
import { Service } from '../installations/service.ts'
import { apps, provision } from './apps.fixture.ts'
import { waitForBatch, randomPause } from './aggregator-state.fixture.ts'
import { runTrial, expectExact, rowsCountedTwice } from './trial.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const engines = inject('engines')
const AGGREGATORS = 3
const ROUNDS = repetitions(10)
const SERVING_ROUNDS = repetitions(5)

/** Kills an aggregator each time that it is counting. */
async function killAtWork(service: Service, rounds: number, random: () => number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await waitForBatch(service)
    await randomPause(random, 700)
    await service.stop('SIGKILL')
    await service.start()
  }
}

async function killServing(service: Service, rounds: number, random: () => number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await randomPause(random, 8_000)
    await service.stop('SIGKILL')
    await service.start()
  }
}

describe.skipIf(!engines)('processes that are killed', () => {
  let installation: Cluster
  beforeAll(
    async () =>
      void (installation = await cluster(engines!, {
        provision,
        aggregators: AGGREGATORS,
        env: { HOPPER_LOG_LEVEL: 'error', HOPPER_LEASE_MS: '3000' },
      })),
  )
  afterAll(() => installation?.dispose())

  it('count exactly: three aggregators killed in a loop at work, ingest and api at any moment', async () => {
    const random = mulberry32(20_261_121)
    const result = await runTrial({ installation, app: apps.tested, seed: 11 }, async () => {
      await Promise.all([
        ...installation.aggregators.map((service) => killAtWork(service, ROUNDS, random)),
        killServing(installation.ingest, SERVING_ROUNDS, random),
        killServing(installation.api, SERVING_ROUNDS, random),
      ])
    })
    expectExact(result)
    expect(result.sending.refused).toBeGreaterThan(0)
  }, 480_000)

  it('control: without the watermark check, kills make events count twice', async () => {
    const unsafe = await Service.of('aggregator', [], { ...installation.env, HOPPER_UNSAFE_NO_WATERMARK: '1' })
    const result = await runTrial({ installation, app: apps.control, aggregators: [unsafe], seed: 12 }, () =>
      killAtWork(unsafe, 3, mulberry32(7)),
    )
    expect(rowsCountedTwice(result)).toBeGreaterThan(0)
  }, 360_000)
})
