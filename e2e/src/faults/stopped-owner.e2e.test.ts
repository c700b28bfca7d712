import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { waitForBatch, metricOf, lanesOf } from './aggregator-state.fixture.ts'
import { CqlProxy } from './cql-proxy.fixture.ts'
import { runTrial, expectExact, rowsCountedTwice } from './trial.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const engines = inject('engines')
const LANES = 8
/** messages of about one second: the other aggregator has counted what the stopped one had in flight */
const LAG_MAX = 15
const TAKEOVER_TIMEOUT_MS = 80_000
/** a round may stop the owner in a batch of the archive, which is never counted twice */
const CONTROL_ROUNDS = 5

/**
 * Stops an owner in the middle of a batch, when its sets are written and its counters are next. Lets it continue when
 * another has counted in every lane. The owner reaches Cassandra through the proxy, which detects that moment.
 */
async function stopPastLease(stopped: Service, other: Service, proxy: CqlProxy, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all([waitForBatch(stopped), waitForBatch(other)])
    const middle = Promise.withResolvers<void>()
    proxy.fate = (kind) => {
      if (kind === 'batch') {
        stopped.signal('SIGSTOP')
        middle.resolve()
      }
      return 'pass'
    }
    await middle.promise
    proxy.fate = () => 'pass'
    await until(
      async () => (await lanesOf(other)) === LANES && (await metricOf(other, 'hopper_aggregator_lag')) <= LAG_MAX,
      TAKEOVER_TIMEOUT_MS,
    )
    stopped.signal('SIGCONT')
  }
  await waitForBatch(stopped)
}

describe.skipIf(!engines)('an aggregator stopped past its lease that continues when another owns its lanes', () => {
  let installation: Cluster
  let proxy: CqlProxy
  beforeAll(async () => {
    installation = await cluster(engines!, {
      provision,
      aggregators: 1,
      env: { HOPPER_LOG_LEVEL: 'error', HOPPER_LEASE_MS: '3000' },
    })
    proxy = await CqlProxy.before(engines!.cassandra)
  })
  afterAll(async () => {
    await installation?.dispose()
    await proxy?.[Symbol.asyncDispose]()
  })
  /**
   * Its answer timeout is longer than the stop. Otherwise answers would be too late when it continues, and that alone
   * would end its batch.
   */
  const behindProxy = (env: Record<string, string> = {}): Promise<Service> =>
    Service.of('aggregator', [], {
      ...installation.env,
      HOPPER_CASSANDRA_CONTACT_POINTS: proxy.contactPoint,
      HOPPER_CASSANDRA_TIMEOUT_MS: '90000',
      ...env,
    })

  it('writes nothing more in those lanes, and gets its share again', async () => {
    const [stopped, other] = [await behindProxy(), installation.aggregators[0]!]
    expectExact(
      await runTrial({ installation, app: apps.tested, aggregators: [stopped, other], seed: 21, perSecond: 15 }, () =>
        stopPastLease(stopped, other, proxy, repetitions(3)),
      ),
    )
  }, 480_000)

  it('control: without the lease check, it counts events again that the new owner has counted', async () => {
    const [stopped, other] = [await behindProxy({ HOPPER_UNSAFE_NO_LEASE: '1' }), installation.aggregators[0]!]
    const result = await runTrial(
      { installation, app: apps.control, aggregators: [stopped, other], seed: 22, perSecond: 15 },
      () => stopPastLease(stopped, other, proxy, CONTROL_ROUNDS),
    )
    expect(rowsCountedTwice(result)).toBeGreaterThan(0)
  }, 360_000)
})
