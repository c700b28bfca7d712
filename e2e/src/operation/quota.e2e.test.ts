import { afterEach, expect, it } from 'vitest'
import { getJson, type Installation } from '../installations/installation.ts'
import { standalone } from '../installations/standalone.ts'
import { until } from '../installations/until.ts'

const QUOTA = 50_000
const REQUEST_BYTES = 5_000
const ACCEPTED_AGAIN_MS_MAX = 30_000
const appOf = (id: string) => ({
  id,
  name: id,
  timezone: 'UTC',
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
})
const [noisy, neighbour] = [{ ...appOf('noisy'), quota_bytes: QUOTA }, appOf('neighbour')]
const admin = 'ha_quota_0123456789abcdef'
const provision = { organizations: [{ id: 'o', name: 'O', admin_key: admin, apps: [noisy, neighbour] }] }

let installation: Installation
afterEach(() => installation.dispose())

async function send(key: string): Promise<number> {
  const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify({
      device_id: 'd',
      events: [{ type: 'custom', name: 'n', event_id: 'always the same', data: { text: 'x'.repeat(REQUEST_BYTES) } }],
    }),
  })
  await answer.arrayBuffer()
  return answer.status
}

const received = async (): Promise<number> =>
  (await getJson<{ received_bytes: number }>(installation, '/api/v1/apps/noisy', noisy.read_key)).received_bytes

async function sendUntilRefused(): Promise<number> {
  for (let accepted = 0; ; accepted++) if ((await send(noisy.write_key)) !== 202) return accepted
}

it('an app that repeats one event is refused at its quota, also after a restart, and others are not', async () => {
  installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' } })
  await installation.start()
  const accepted = await sendUntilRefused()
  expect(accepted * REQUEST_BYTES).toBeLessThanOrEqual(QUOTA)
  expect(accepted * REQUEST_BYTES).toBeGreaterThan(QUOTA - 2 * REQUEST_BYTES)
  expect(await send(neighbour.write_key)).toBe(202)

  await installation.stop('SIGTERM')
  await installation.start()
  expect([await send(noisy.write_key), await send(neighbour.write_key)]).toEqual([429, 202])
  expect(await received()).toBeGreaterThanOrEqual(QUOTA)
  expect(await received()).toBeLessThan(QUOTA + 2 * REQUEST_BYTES)

  const raised = await fetch(`${installation.apiUrl}/api/v1/apps/noisy`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ quota_bytes: 10 * QUOTA }),
  })
  expect(raised.status).toBe(200)
  await until(async () => (await send(noisy.write_key)) === 202, ACCEPTED_AGAIN_MS_MAX)
}, 120_000)
