import { PostHog } from 'posthog-node'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { once, openReceiver, writeKey, type Receiver } from './receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await openReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

const client = (): PostHog => new PostHog(writeKey, { host: receiver.url, fetchRetryDelay: 50 })
const timestamp = new Date(Date.now() - 60_000)

it('delivers events and their persons', async () => {
  const posthog = client()
  posthog.capture({
    distinctId: 'ann',
    event: 'paid',
    properties: { amount: 5, $current_url: 'https://s.example/pay?x' },
    timestamp,
  })
  posthog.identify({ distinctId: 'ann', properties: { $set: { plan: 'pro' }, $anon_distinct_id: 'dev-1' } })
  posthog.alias({ distinctId: 'ann', alias: 'dev-2' })
  posthog.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { seats: 3 }, distinctId: 'ann' })
  await posthog.shutdown()
  const logged = await receiver.logged()
  expect(logged).toHaveLength(4)
  expect(logged).toEqual(
    expect.arrayContaining(
      [
        {
          name: 'paid',
          user_id: 'ann',
          timestamp: timestamp.getTime(),
          current_url: 'https://s.example/pay',
          data: { amount: 5 },
        },
        { device_id: 'dev-1', type: 'identify', user_id: 'ann', data: { plan: 'pro' } },
        { device_id: 'dev-2', type: 'identify', user_id: 'ann' },
        {
          name: '$groupidentify',
          user_id: 'ann',
          data: { $group_type: 'company', $group_key: 'acme', '$group_set.seats': 3 },
        },
      ].map((expected): unknown => expect.objectContaining(expected)),
    ),
  )
  expect(logged.every(({ context }) => context.device === 'server')).toBe(true)
  expect(new Set(receiver.answered.map(({ status }) => status))).toEqual(new Set([200]))
})

it.each(['refused', 'lost'] as const)('sends a batch again when it was %s, and each event counts once', async (how) => {
  const posthog = client()
  receiver.fail(how, 1)
  for (let n = 0; n < 5; n++) posthog.capture({ distinctId: 'ann', event: `e-${n}`, timestamp })
  await posthog.shutdown()
  expect(receiver.answered.map(({ status }) => status)).toEqual([503, 200])
  const logged = await receiver.logged()
  expect(logged).toHaveLength(how === 'lost' ? 10 : 5)
  expect(once(logged).map((event) => event['name'])).toEqual(['e-0', 'e-1', 'e-2', 'e-3', 'e-4'])
})

it('gets the answer that no flag is on', async () => {
  const posthog = client()
  expect(await posthog.getAllFlags('ann')).toEqual({})
  await posthog.shutdown()
})
