import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../cluster.ts'
import { mulberry32 } from '../random-traffic.ts'
import { Service } from '../service.ts'
import { until } from '../until.ts'
import { apps, provision } from './apps.ts'
import { atWork, someMoment } from './at-work.ts'
import { endure, expectExact, rowsCountedTwice } from './endure.ts'

const engines = inject('engines')
const LANES = 8

/** Stops an owner while it counts, until another has counted in every lane, and lets it go on then. */
async function stopPastLease(stopped: Service, other: Service, rounds: number, random: () => number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all([atWork(stopped), atWork(other)])
    await someMoment(random, 300)
    stopped.signal('SIGSTOP')
    await until(async () => (await lanesOf(other)) === LANES, 60_000)
    await atWork(other)
    stopped.signal('SIGCONT')
  }
}

/** How many lanes an aggregator owns now. */
async function lanesOf(service: Service): Promise<number> {
  const text = await fetch(`${service.url}/metrics`).then((answer) => answer.text(), () => '')
  return text.split('\n').filter((line) => line.startsWith('hopper_aggregator_lag{')).length
}

describe.skipIf(!engines)('an aggregator that is stopped past its lease and goes on when another has its lanes', () => {
  let product: Cluster
  beforeAll(async () => void (product = await cluster(engines!, { provision, aggregators: 2, env: { HOPPER_LOG_LEVEL: 'fatal' } })))
  afterAll(() => product?.dispose())

  it('writes nothing more in those lanes, and takes its share again', async () => {
    const [stopped, other] = product.aggregators as [Service, Service]
    const endured = await endure({ product, app: apps.proved, seed: 21 }, async () => {
      await stopPastLease(stopped, other, 4, mulberry32(21))
      await atWork(stopped)
    })
    expectExact(endured)
  }, 240_000)

  it('control: with the check of the lease off, it counts what the other has counted', async () => {
    const unsafe = async (): Promise<Service> => Service.of('aggregator', [], { ...product.env, HOPPER_UNSAFE_NO_LEASE: '1' })
    const [stopped, other] = [await unsafe(), await unsafe()]
    const endured = await endure({ product, app: apps.control, aggregators: [stopped, other], seed: 22 }, () => stopPastLease(stopped, other, 4, mulberry32(22)))
    expect(rowsCountedTwice(endured)).toBeGreaterThan(0)
  }, 240_000)
})
