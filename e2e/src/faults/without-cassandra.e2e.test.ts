import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { whenCounted } from '../installations/installation.ts'
import { Service } from '../installations/service.ts'
import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { randomTraffic } from '../traffic/random-traffic.ts'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { CqlProxy } from './cql-proxy.fixture.ts'

const engines = inject('engines')
const SNAPSHOT_MS = 60_000

interface Ready {
  readonly ready: boolean
  readonly reasons: string[]
  readonly components?: { name: string; healthy: boolean; detail?: string }[]
}

describe.skipIf(!engines)('without Cassandra', () => {
  let installation: Cluster
  let proxy: CqlProxy
  let api: Service
  let ingest: Service
  beforeAll(async () => {
    installation = await cluster(engines!, {
      provision,
      env: { HOPPER_LOG_LEVEL: 'warn', HOPPER_KAFKA_SESSION_MS: '6000', HOPPER_UNKNOWN_OUTCOME_MS: '7000' },
    })
    proxy = await CqlProxy.before(engines!.cassandra)
    await installation.migrate()
    const env = { ...installation.env, HOPPER_CASSANDRA_CONTACT_POINTS: proxy.contactPoint }
    api = await Service.of('api', [], env)
    ingest = await Service.of('ingest', [], env)
    await Promise.all([api, ingest, ...installation.aggregators].map((service) => service.start()))
  }, 120_000)
  afterAll(async () => {
    await Promise.all([api, ingest].map((service) => service?.stop('SIGKILL')))
    await installation?.dispose()
    await proxy?.[Symbol.asyncDispose]().catch(() => undefined)
  })

  const ready = async (service: Service): Promise<Ready> =>
    (await fetch(`${service.url}/ready`)).json() as Promise<Ready>
  const send = (seed: number): Promise<unknown> =>
    Promise.all(
      randomTraffic({ devices: 10, eventsPerDevice: 10, seed, now: Date.now() })
        .flat()
        .map((request) => sendUntilAcknowledged(ingest.url, apps.tested.write, request)),
    )

  it(
    'the API answers 503 with Retry-After; ingest takes events, even after a restart, and reports its basis',
    async () => {
      await send(1)
      await until(async () => (await ready(ingest)).ready, 10_000)
      // Its snapshot is taken right after the start.
      await new Promise((resolve) => setTimeout(resolve, 2_000))
      await proxy[Symbol.asyncDispose]()

      const authorization = `Bearer ${apps.tested.read}`
      const json = { 'content-type': 'application/json' }
      const calls: [string, RequestInit][] = [
        ['/api/v1/apps', { headers: { authorization } }],
        ['/api/v1/status', { headers: { authorization } }],
        [`/api/v1/apps/${apps.tested.id}/traffic`, { headers: { authorization } }],
        ['/api/v1/me', { headers: { cookie: 'hopper_session=abc' } }],
        [
          '/api/v1/login',
          {
            method: 'POST',
            headers: json,
            body: JSON.stringify({ organization: 'o', name: 'n', password: 'a long password' }),
          },
        ],
        [`/api/v1/apps/${apps.tested.id}/funnels`, { method: 'POST', headers: { ...json, authorization }, body: '{}' }],
      ]
      for (const [path, options] of calls) {
        const started = performance.now()
        const answer = await fetch(`${api.url}${path}`, options)
        const body = await answer.text()
        expect([path, answer.status], body).toEqual([
          path,
          path === '/api/v1/login' && answer.status === 400
            ? 400
            : path.endsWith('/me') && answer.status === 401
              ? 401
              : 503,
        ])
        if (answer.status === 503) {
          expect(body).toContain('HOP_STORE_UNAVAILABLE')
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
        }
        expect(performance.now() - started).toBeLessThan(8_000)
      }
      expect((await ready(api)).ready).toBe(false)

      await send(2)
      await ingest.stop('SIGKILL')
      await ingest.start()
      expect(ingest.output).toContain('starts from its snapshot')
      await send(3)
      const state = await ready(ingest)
      expect(state).toMatchObject({ ready: true, reasons: [] })
      expect(JSON.stringify(state.components)).toContain('keys and funnels are those of')
      const unknown = await fetch(`${ingest.url}/v1/events`, {
        method: 'POST',
        headers: { ...json, 'x-api-key': 'hw_nobody_0123456789abcdef' },
        body: '{"events":[]}',
      })
      expect(unknown.status).toBe(503)
      // Events accepted meanwhile are counted: the aggregator and another API have their Cassandra.
      await installation.api.start()
      await whenCounted(installation, apps.tested.read)
    },
    SNAPSHOT_MS * 3,
  )
})
