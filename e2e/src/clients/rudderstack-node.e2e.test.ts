import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../installations/until.ts'
import { once, openReceiver, writeKey, type Receiver } from './receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await openReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

const client = (): RudderAnalytics =>
  new RudderAnalytics(writeKey, { dataPlaneUrl: receiver.url, flushAt: 20, flushInterval: 50, logLevel: 'silly' })

it('brings each kind of message in a body of gzip, and all its calls are answered', async () => {
  const rudder = client()
  const before = Date.now()
  const anonymousId = 'anon-1'
  rudder.track({ anonymousId, event: 'Added', properties: { price: 9.5 } })
  rudder.page({ anonymousId, name: 'Cart', properties: { url: 'https://shop.example/cart' } })
  rudder.screen({ anonymousId, name: 'Home' })
  rudder.group({ anonymousId, groupId: 'g-1', traits: { seats: 3 } })
  rudder.identify({ anonymousId, userId: 'ann', traits: { plan: 'pro' } })
  rudder.alias({ previousId: anonymousId, userId: 'ann' })
  rudder.track({ userId: '7', event: 'Paid' })
  // the first message goes at once, the others together
  await rudder.flush()
  await until(async () => (await receiver.logged()).length === 7, 5_000)
  const logged = await receiver.logged()
  expect(logged).toHaveLength(7)
  expect(logged).toEqual(
    expect.arrayContaining(
      [
        { device_id: anonymousId, name: 'Added', data: { price: 9.5 } },
        { device_id: anonymousId, type: 'url_change', to: 'https://shop.example/cart', from: '' },
        { device_id: anonymousId, name: 'screen', data: { name: 'Home' } },
        { device_id: anonymousId, name: 'group', data: { group_id: 'g-1', 'group.seats': 3 } },
        { device_id: anonymousId, type: 'identify', user_id: 'ann', data: { plan: 'pro' } },
        { device_id: anonymousId, type: 'identify', user_id: 'ann' },
        { name: 'Paid', user_id: '7' },
      ].map((expected): unknown => expect.objectContaining(expected)),
    ),
  )
  expect(logged.every(({ timestamp }) => timestamp >= before && timestamp <= Date.now())).toBe(true)
  expect(new Set(receiver.answered.map(({ status }) => status))).toEqual(new Set([200]))
})

it.each(['refused', 'lost'] as const)(
  'sends a batch again when it was %s, and each message counts once',
  async (how) => {
    const rudder = client()
    receiver.fail(how, 1)
    rudder.track({ anonymousId: 'anon-1', event: 'Added' })
    await rudder.flush()
    expect(receiver.answered.map(({ status }) => status)).toEqual([503, 200])
    const logged = await receiver.logged()
    expect(logged).toHaveLength(how === 'lost' ? 2 : 1)
    expect(once(logged)).toMatchObject([{ device_id: 'anon-1', name: 'Added' }])
  },
)
