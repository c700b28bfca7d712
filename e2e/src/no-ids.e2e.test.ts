import { afterAll, beforeAll, expect, it } from 'vitest'
import { whenAdmitted } from './traffic/send-until-acknowledged.ts'
import { whenCounted, getJson, type Installation } from './installations/installation.ts'
import { until } from './installations/until.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'

const keys = { write: 'hw_noid_0123456789abcdef', read: 'hr_noid_0123456789abcdef' }
const provision = {
  organizations: [
    {
      id: 'o',
      name: 'O',
      apps: [
        {
          id: 'noid',
          name: 'N',
          timezone: 'UTC',
          write_key: keys.write,
          read_key: keys.read,
          funnels: [],
          elements: [],
        },
      ],
    },
  ],
}
const ROWS = 31_106
const EQUAL = 30
const yesterday = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 86_400_000

forEachInstallation((open, way) => {
  let installation: Installation
  beforeAll(async () => {
    const session = way === 'cluster' ? { HOPPER_KAFKA_SESSION_MS: '6000' } : {}
    installation = await open({ provision, env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false', ...session } })
    await installation.start()
  }, 120_000)
  afterAll(() => installation?.dispose())

  async function send(body: object): Promise<{ accepted: number; rejected: { reason: string }[] }> {
    const headers = { 'content-type': 'application/json', 'x-api-key': keys.write, 'user-agent': 'shop-back-end/1.0' }
    const post = (): Promise<Response> =>
      fetch(`${installation.ingestUrl}/v1/events`, { method: 'POST', headers, body: JSON.stringify(body) })
    const answer = await whenAdmitted(post)
    expect(answer.status).toBe(202)
    return (await answer.json()) as { accepted: number; rejected: { reason: string }[] }
  }
  async function countNamed(name: string): Promise<number> {
    await whenCounted(installation, keys.read)
    const answer = await fetch(`${installation.apiUrl}/api/v1/apps/noid/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.read}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        start: yesterday,
        end: Date.now() + 1_000,
        data: [{ name: 'a', filters: [{ type: 'eq', key: 'name', value: name }] }],
      }),
    })
    return ((await answer.json()) as { data: [{ count: number }] }).data[0].count
  }
  const reaches = async (name: string, count: number): Promise<void> => {
    await until(async () => (await countNamed(name)) === count, 60_000).catch(async () =>
      expect(await countNamed(name)).toBe(count),
    )
  }

  it('counts every sale of one till without times', async () => {
    const sale = { type: 'custom', name: 'sale', data: { amount: 5 } }
    for (let times = 0; times < 2; times++) await send({ device_id: 'till-7', events: [sale, sale, sale] })
    await reaches('sale', 6)
  }, 120_000)

  it('counts each row of a log with times once, even with equal times in a request and when sent again', async () => {
    const rows = Array.from({ length: ROWS }, (_, index) => {
      const row = index % 1_000 < EQUAL && index < 1_000 && index % 2 === 1 ? index - 1 : index
      return {
        type: 'custom',
        name: 'row',
        device_id: `customer-${row % 900}`,
        timestamp: yesterday + row * 1_000,
        data: { installation: row % 97, price: row % 13 },
      }
    })
    for (let times = 0; times < 2; times++) {
      for (let start = 0; start < rows.length; start += 1_000)
        await send({ historical: true, events: rows.slice(start, start + 1_000) })
    }
    await reaches('row', ROWS)
  }, 180_000)

  it('rejects an event without a device under that reason and counts it; one with a user has a device', async () => {
    expect(await send({ events: [{ type: 'custom', name: 'x' }] })).toMatchObject({
      accepted: 0,
      rejected: [{ reason: 'no_device' }],
    })
    expect(await send({ events: [{ type: 'custom', name: 'by user', user_id: 'ann' }] })).toMatchObject({
      accepted: 1,
      rejected: [],
    })
    await reaches('by user', 1)
    type Status = { dead_letters: number; fates: { fate: string; reason: string; events: number }[] }
    const status = await getJson<Status>(installation, '/api/v1/status', keys.read)
    expect(status.dead_letters).toBe(0)
    expect(JSON.stringify(status.fates)).toContain('no_device')
  }, 120_000)
})
