import { Analytics } from '@segment/analytics-node'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { agents } from '../traffic/random-traffic.ts'
import { once, openReceiver, writeKey, type Receiver } from './receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await openReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

const client = (): Analytics => new Analytics({ writeKey, host: receiver.url, flushAt: 20, maxRetries: 5 })
const timestamp = new Date(Date.now() - 60_000)

it('brings each kind of message, with its person, time, page and campaign', async () => {
  const analytics = client()
  const who = { anonymousId: 'anon-1', timestamp }
  const page = { url: 'https://shop.example/cart?x=1', referrer: 'https://search.example/q' }
  const context = {
    page,
    userAgent: agents[1]!.userAgent,
    campaign: { name: 'spring', source: 'news', medium: 'mail', term: '', content: '' },
  }
  analytics.track({ ...who, event: 'Added', properties: { price: 9.5 }, context })
  analytics.page({ ...who, name: 'Cart', context })
  analytics.screen({ ...who, name: 'Home' })
  analytics.group({ ...who, groupId: 'g-1', traits: { seats: 3 } })
  analytics.identify({ ...who, userId: 'ann', traits: { plan: 'pro' } })
  analytics.alias({ previousId: 'old-1', userId: 'ann', timestamp })
  analytics.track({ userId: 'bob', event: 'Paid', timestamp })
  await analytics.closeAndFlush()
  const logged = await receiver.logged()
  const visit = {
    browser: 'Firefox',
    device: 'desktop',
    referrer: 'search.example/q',
    utm: { utm_campaign: 'spring', utm_source: 'news', utm_medium: 'mail' },
  }
  const device_id = 'anon-1'
  expect(logged).toHaveLength(7)
  expect(logged.every((event) => event.timestamp === timestamp.getTime())).toBe(true)
  expect(logged).toEqual(
    expect.arrayContaining(
      [
        { device_id, name: 'Added', data: { price: 9.5 }, current_url: 'https://shop.example/cart', context: visit },
        { device_id, type: 'url_change', from: page.referrer, to: 'https://shop.example/cart', context: visit },
        { device_id, name: 'screen', data: { name: 'Home' }, context: { device: 'server' } },
        { device_id, name: 'group', data: { group_id: 'g-1', 'group.seats': 3 } },
        { device_id, type: 'identify', user_id: 'ann', data: { plan: 'pro' } },
        { device_id: 'old-1', type: 'identify', user_id: 'ann' },
        { name: 'Paid', user_id: 'bob' },
      ].map((expected): unknown => expect.objectContaining(withContext(expected))),
    ),
  )
})

function withContext(expected: object): object {
  return 'context' in expected ? { ...expected, context: expect.objectContaining(expected.context) } : expected
}

it.each(['refused', 'lost'] as const)(
  'sends a batch again when it was %s, and each message counts once',
  async (how) => {
    const analytics = client()
    receiver.fail(how, 1)
    for (let n = 0; n < 5; n++) analytics.track({ anonymousId: 'anon-1', event: `e-${n}`, timestamp })
    await analytics.closeAndFlush({ timeout: 10_000 })
    expect(receiver.answered.map(({ status }) => status)).toEqual([503, 200])
    const logged = await receiver.logged()
    expect(logged).toHaveLength(how === 'lost' ? 10 : 5)
    expect(once(logged).map((event) => event['name'])).toEqual(['e-0', 'e-1', 'e-2', 'e-3', 'e-4'])
  },
)
