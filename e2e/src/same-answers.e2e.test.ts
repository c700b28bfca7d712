import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { sendUntilAcknowledged } from './traffic/send-until-acknowledged.ts'
import { cluster } from './installations/cluster.ts'
import { whenCounted, whenFunnelsKnown, type Installation } from './installations/installation.ts'
import { randomTraffic } from './traffic/random-traffic.ts'
import { standalone } from './installations/standalone.ts'
import { reportPaths } from './report-paths.fixture.ts'

const keys = { write: 'hw_same_0123456789abcdef', read: 'hr_same_0123456789abcdef' }
const stages = [1, 2, 3, 4, 5].map((id) => ({ id, name: `Stage ${id}`, url: `/page-${id}` }))
const provision = {
  organizations: [
    {
      id: 'o',
      name: 'O',
      apps: [
        {
          id: 'same',
          name: 'Same',
          timezone: 'America/St_Johns',
          write_key: keys.write,
          read_key: keys.read,
          funnels: [{ id: 'f', name: 'F', stages }],
          elements: [{ name: 'One', xpath: "//*[@id='b1']" }],
        },
      ],
    },
  ],
}
const DAY_MS = 86_400_000
const now = Date.now()
const date = (ago: number): string => new Date(now - ago * DAY_MS).toISOString().slice(0, 10)
const range = `from=${date(25)}&to=${date(0)}`
const instants = { from: now - 30 * DAY_MS, to: now }

const refused = ['agents?by=shoe', 'stages/users?funnel=none']
const reports = reportPaths(date(25), date(0), [
  'stages/conversion?count_by=device',
  'traffic?by=hour',
  'keys/target/values?prefix=',
  ...refused,
])

const clicked = (id: number) => ({
  name: `b${id}`,
  filters: [{ type: 'eq', key: 'target', value: `//*[@id='b${id}']` }],
})
const steps = [{ name: 'seen', filters: [{ type: 'eq', key: 'type', value: 'url_change' }] }, clicked(1), clicked(2)]
const queries: readonly (readonly [path: string, body: object])[] = [
  ['funnels/query', { ...instants, steps }],
  ['funnels/query', { ...instants, steps, order: 'any', count_by: 'device', breakdown: 'browser' }],
  [
    'funnels/query',
    { ...instants, steps, order: 'strict', count_by: 'session', people: { step: 1, outcome: 'dropped', limit: 50 } },
  ],
  [
    'funnels/query',
    {
      ...instants,
      steps,
      window_ms: 3_600_000,
      trend: 'day',
      exclude: [{ filters: clicked(3).filters, after: 1, before: 2 }],
    },
  ],
  ['funnels/query', { ...instants, funnel: 'f' }],
  ['people/query', { ...instants, steps, step: 2, outcome: 'dropped', limit: 5 }],
  ['people/query', { ...instants, steps, step: 1, outcome: 'reached', count_by: 'session', breakdown: 'browser' }],
  ['journeys/people', { ...instants, depth: 3, node: '1/exit', limit: 5 }],
  ['elements/query', { ...instants, funnel: 'f', trend: 'day' }],
  ['retention/query', { ...instants, first: steps[0]!.filters, again: clicked(1).filters, by: 'day' }],
  [
    'query',
    {
      start: instants.from,
      end: instants.to,
      data: [
        { name: 'a', filters: steps[0]!.filters, unique: ['device_id'] },
        { name: 'b', filters: clicked(1).filters, unique: ['device_id', 'target'] },
      ],
    },
  ],
]

const engines = inject('engines')

describe.skipIf(!engines)('standalone and cluster', () => {
  const installations: Installation[] = []

  beforeAll(async () => {
    const env = { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false' }
    installations.push(await standalone({ provision, env }), await cluster(engines!, { provision, env }))
    await Promise.all(installations.map((installation) => installation.start()))
    await Promise.all(installations.map((installation) => whenFunnelsKnown(installation, 'same', keys.read)))
    const traffic = randomTraffic({ devices: 60, eventsPerDevice: 40, seed: 3, now })
    // The same requests in the same order, a tenth of them twice.
    await Promise.all(
      installations.map(async (installation) => {
        for (const requests of traffic) {
          for (const [index, request] of requests.entries()) {
            for (let times = index % 10 === 0 ? 2 : 1; times > 0; times--)
              await sendUntilAcknowledged(installation.ingestUrl, keys.write, request)
          }
        }
        await whenCounted(installation, keys.read)
      }),
    )
  }, 240_000)
  afterAll(() => Promise.all(installations.map((installation) => installation.dispose())))

  it.each(reports)('GET %s: the same bytes', async (path) => {
    for (const accept of ['application/json', 'text/csv']) {
      const answers = await Promise.all(
        installations.map((installation) => answer(installation, path, { headers: { accept } })),
      )
      expect(answers[1]).toEqual(answers[0])
      if (!refused.some((each) => path.startsWith(each))) expect(answers[0]!.status).toBe(200)
    }
  })

  it.each(queries.map(([path, body], number) => ({ number, path, body })))(
    'POST $path, query number $number: the same bytes',
    async ({ path, body }) => {
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      const answers = await Promise.all(installations.map((installation) => answer(installation, path, request)))
      expect(answers[1]).toEqual(answers[0])
      expect(answers[0]).toMatchObject({ status: 200 })
    },
  )

  it('the answers are not empty: users in every stage, events in the sets', async () => {
    const [users] = await Promise.all(
      installations.map((installation) => answer(installation, `stages/conversion?${range}`, {})),
    )
    expect(JSON.parse(users!.body)).toMatchObject({ rows: stages.map(() => ({ users: expect.any(Number) as number })) })
    expect(users!.body).not.toMatch(/"users":0\b/)
  })

  /**
   * Returns status, type and bytes of an answer. Only the time up to which it is complete may differ between
   * installations.
   */
  async function answer(
    installation: Installation,
    path: string,
    { headers, ...request }: RequestInit,
  ): Promise<{ status: number; type: string | null; body: string }> {
    const url = `${installation.apiUrl}/api/v1/apps/same/${path}`
    const response = await fetch(url, {
      ...request,
      headers: { ...(headers as Record<string, string>), authorization: `Bearer ${keys.read}` },
    })
    const body = (await response.text()).replace(/"complete_to":\d+/g, '"complete_to":0')
    return { status: response.status, type: response.headers.get('content-type'), body }
  }
})
