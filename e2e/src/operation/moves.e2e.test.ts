import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { whenCounted, whenFunnelsKnown } from '../installations/installation.ts'
import { randomTraffic } from '../traffic/random-traffic.ts'
import { hopper, Service } from '../installations/service.ts'
import { reportPaths } from '../report-paths.fixture.ts'

const DAY_MS = 86_400_000
/** more dates than one request of the audit may cover */
const DAYS = 400
const LANES = 8
const keys = { write: 'hw_moves_0123456789abcdef', read: 'hr_moves_0123456789abcdef' }
const stages = ['/home', '/products*', '/cart', '/done'].map((url, id) => ({ id: id + 1, name: url, url }))
const provision = {
  organizations: [
    {
      id: 'o',
      name: 'O',
      admin_key: 'ha_moves_0123456789abcdef',
      apps: [
        {
          id: 'moves',
          name: 'Moves',
          timezone: 'America/St_Johns',
          write_key: keys.write,
          read_key: keys.read,
          funnels: [
            { id: 'checkout', name: 'Checkout', stages },
            { id: 'f', name: 'F', stages },
          ],
          elements: [{ name: 'One', xpath: "//*[@id='b1']" }],
        },
      ],
    },
  ],
}
const now = Date.now()
const date = (ago: number): string => new Date(now - ago * DAY_MS).toISOString().slice(0, 10)
const isOfLoss = (path: string): boolean => path.startsWith('loss')
/**
 * Reports of losses end before the first event of the random traffic: its sessions, which last for days, are open when
 * the installation begins to move, and have ended when it has moved.
 */
const reports = [
  ...reportPaths(date(DAYS + 2), date(0)).filter((path) => !isOfLoss(path)),
  ...reportPaths(date(DAYS + 2), date(22)).filter(isOfLoss),
]
const instants = { from: now - (DAYS + 2) * DAY_MS, to: now }
const steps = ['url_change', 'click'].map((type) => ({
  name: type,
  filters: [{ type: 'eq', key: 'type', value: type }],
}))

const engines = inject('engines')

/** An installation that the test queries. */
interface Installation {
  readonly apiUrl: string
}

describe.skipIf(!engines)('an installation of a year that moves', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-moves-'))
  // Nothing is killed here, so the times are those of production: a busy machine must not cost a lane.
  const times = { HOPPER_KAFKA_SESSION_MS: '10000', HOPPER_LEASE_MS: '15000', HOPPER_UNKNOWN_OUTCOME_MS: '7000' }
  const env = { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false', ...times }
  /** The engines that the run's variables name must not reach an installation that runs in a directory. */
  const local = { HOPPER_KAFKA_BROKERS: '', HOPPER_CASSANDRA_CONTACT_POINTS: '' }
  const disposed: (() => Promise<unknown>)[] = []
  afterAll(async () => {
    for (const dispose of disposed) await dispose()
    rmSync(dir, { recursive: true, force: true })
  })

  it('is audited and rebuilt in a cluster, and answers identically in standalone and in another cluster', async () => {
    const first = await cluster(engines!, { provision, env })
    disposed.push(() => first.dispose())
    await first.start()
    await whenFunnelsKnown(first, 'moves', keys.read)
    await send(first)
    await whenCounted(first, keys.read, 240_000)
    const wanted = await answersOf(first)
    expect(wanted.filter((answer) => !/ 200 /.test(answer.slice(0, 400)))).toEqual([])
    expect(wanted.join('').length).toBeGreaterThan(20_000)

    // There is no need to wait for the archive: commands that read it do.
    expect(await hopper(['audit'], first.env)).toContain('No drift')
    for (const aggregator of first.aggregators) await aggregator.stop('SIGTERM')
    expect(await hopper(['rebuild'], { ...first.env, NODE_OPTIONS: '--max-old-space-size=256' })).toContain(
      'counted and archived again',
    )
    expect(await answersOf(first)).toEqual(wanted)
    expect(await hopper(['audit'], first.env)).toContain('No drift')

    const dumps = [join(dir, 'first.ndjson.zst'), join(dir, 'second.ndjson.zst')] as const
    await hopper(['export', '--all', '--out', dumps[0]], first.env)
    const data = join(dir, 'data')
    await hopper(['import', dumps[0], '--data', data, '--lanes', String(LANES)], local)
    const alone = await Service.of('start', ['--data', data], env)
    disposed.push(() => alone.stop('SIGKILL'))
    await alone.start()
    expect(await answersOf({ apiUrl: alone.url })).toEqual(wanted)
    await alone.stop('SIGTERM')

    await hopper(['export', '--all', '--out', dumps[1], '--data', data, '--lanes', String(LANES)], local)
    // The same file: without one, migrate creates an organization that would own the demo shop.
    const second = await cluster(engines!, { provision, env })
    disposed.push(() => second.dispose())
    await second.migrate()
    await hopper(['import', dumps[1]], second.env)
    await second.start()
    await whenCounted(second, keys.read, 240_000)
    expect(await hopper(['audit'], second.env)).toContain('No drift')
    expect(await answersOf(second)).toEqual(wanted)
  }, 1_200_000)

  /** Sends bodies of browsers as the tracker does, those of the demo shop, and those of a server. */
  async function send(installation: Cluster): Promise<void> {
    for (const requests of randomTraffic({ devices: 30, eventsPerDevice: 20, seed: 9, now })) {
      for (const request of requests) await sendUntilAcknowledged(installation.ingestUrl, keys.write, request)
    }
    await hopper([
      'load',
      '--demo',
      '--url',
      installation.ingestUrl,
      '--key',
      keys.write,
      '--days',
      String(DAYS),
      '--visitors',
      '200',
    ])
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${keys.write}`,
      'user-agent': 'curl/8.5.0',
    }
    for (let n = 0; n < 40; n++) {
      const sale = {
        type: 'custom',
        name: 'sale',
        device_id: `till-${n % 3}`,
        data: { sum: n % 5, text: 'Größe "ß" \u2028 \\' },
        ...(n % 2 ? { timestamp: now - n * 1_000 } : {}),
      }
      const unusable = { type: 'shoe', device_id: 'till-0' }
      await fetch(`${installation.ingestUrl}/v1/events`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ events: n % 7 === 0 ? [sale, unusable] : [sale] }),
      })
    }
  }

  /**
   * Returns the API's answers to every request. Completeness and the progress of a funnel's past differ between
   * installations and are removed.
   */
  async function answersOf({ apiUrl }: Installation): Promise<string[]> {
    const answers: string[] = []
    const get = async (path: string, request: RequestInit = {}): Promise<void> => {
      const headers = { authorization: `Bearer ${keys.read}`, 'content-type': 'application/json' }
      const answer = await fetch(`${apiUrl}/api/v1/apps/moves/${path}`, { ...request, headers })
      const text = (await answer.text()).replace(/"complete_to":\d+/g, '').replace(/,"past":\{[^}]*\}/g, '')
      answers.push(`${path} ${answer.status} ${text}`)
    }
    for (const report of reports) await get(report)
    for (const extra of [
      {},
      { order: 'any', count_by: 'device' },
      { count_by: 'session', people: { step: 1, outcome: 'dropped', limit: 50 } },
    ]) {
      await get('funnels/query', { method: 'POST', body: JSON.stringify({ ...instants, steps, ...extra }) })
    }
    return answers
  }
})
