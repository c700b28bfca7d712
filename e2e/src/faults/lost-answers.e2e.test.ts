import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { CqlProxy } from './cql-proxy.fixture.ts'
import { runTrial, expectExact, rowsCountedTwice } from './trial.fixture.ts'

const engines = inject('engines')
const WAIT_TIMEOUT_MS = 120_000

/**
 * Loses every 7th answer to a counter batch that Cassandra has applied: every third of those silently, the others
 * together with their connection.
 */
async function loseAnswers(proxy: CqlProxy, count: number): Promise<void> {
  let answers = 0
  let lost = 0
  proxy.fate = (kind) => {
    if (kind !== 'counters' || lost >= count || ++answers % 7 > 0) return 'pass'
    return ++lost % 3 === 0 ? 'lose' : 'cut'
  }
  await until(() => lost >= count, WAIT_TIMEOUT_MS)
}

describe.skipIf(!engines)('answers to counter writes that are lost after Cassandra has applied them', () => {
  let installation: Cluster
  let proxy: CqlProxy
  beforeAll(async () => {
    installation = await cluster(engines!, { provision, env: { HOPPER_LOG_LEVEL: 'error' } })
    proxy = await CqlProxy.before(engines!.cassandra)
  })
  afterAll(async () => {
    await installation?.dispose()
    await proxy?.[Symbol.asyncDispose]()
  })
  const behindProxy = (env: Record<string, string> = {}): Promise<Service> =>
    Service.of('aggregator', [], { ...installation.env, HOPPER_CASSANDRA_CONTACT_POINTS: proxy.contactPoint, ...env })

  it('leave no number wrong', async () => {
    const aggregators = [await behindProxy()]
    expectExact(await runTrial({ installation, app: apps.tested, aggregators, seed: 51 }, () => loseAnswers(proxy, 12)))
  }, 480_000)

  it('control: without the watermark check, applied batches count twice', async () => {
    const aggregators = [await behindProxy({ HOPPER_UNSAFE_NO_WATERMARK: '1' })]
    const result = await runTrial({ installation, app: apps.control, aggregators, seed: 52 }, () =>
      loseAnswers(proxy, 4),
    )
    expect(rowsCountedTwice(result)).toBeGreaterThan(0)
  }, 360_000)
})
