import { describe, expect, it, test } from 'vitest'
import { Dropped } from '../batch/incoming.ts'
import { isSegmentMessage, segmentBatch, segmentEvent } from './segment.ts'

/** Translates a message that must not be dropped. */
function translated(message: object): { event: object; supplement?: object | undefined } {
  const result = segmentEvent(message)
  if (result instanceof Dropped) throw new Error(result.message)
  return result
}
const who = { messageId: 'm-1', anonymousId: 'anon-1', timestamp: '2026-05-01T10:00:00Z' }
const shared = { event_id: 'm-1', device_id: 'anon-1', timestamp: '2026-05-01T10:00:00Z' }
const page = {
  url: 'https://shop.example/cart?a=1',
  path: '/cart',
  referrer: 'https://search.example/q',
  title: 'Cart',
}

describe('a message becomes an event', () => {
  test.each([
    [
      'track',
      { type: 'track', event: 'Order Completed', properties: { total: 12.5 }, context: { page } },
      { type: 'custom', name: 'Order Completed', data: { total: 12.5 }, current_url: page.url },
    ],
    ['track without properties', { type: 'track', event: 'Ping', properties: null }, { type: 'custom', name: 'Ping' }],
    [
      'page with the address of its context',
      { type: 'page', name: 'Cart', context: { page } },
      { type: 'url_change', from: page.referrer, to: page.url, elapsed_time: 0, name: 'Cart' },
    ],
    [
      'page with an address of its own',
      {
        type: 'page',
        properties: { url: 'https://shop.example/b', referrer: 'https://shop.example/a' },
        context: { page },
      },
      { type: 'url_change', from: 'https://shop.example/a', to: 'https://shop.example/b', elapsed_time: 0 },
    ],
    [
      'page without an address',
      { type: 'page', name: 'Cart', category: 'shop', properties: { items: 2 } },
      { type: 'custom', name: 'page', data: { items: 2, name: 'Cart', category: 'shop' } },
    ],
    [
      'screen',
      { type: 'screen', name: 'Home', category: 'tabs', properties: { dark: true } },
      { type: 'custom', name: 'screen', data: { dark: true, name: 'Home', category: 'tabs' } },
    ],
    [
      'identify',
      { type: 'identify', userId: 'ann', traits: { plan: 'pro' } },
      { type: 'identify', user_id: 'ann', data: { plan: 'pro' } },
    ],
    [
      'identify with its traits in the context, as older clients send them',
      { type: 'identify', userId: 'ann', context: { traits: { plan: 'pro' } } },
      { type: 'identify', user_id: 'ann', data: { plan: 'pro' } },
    ],
    [
      'identify of nobody',
      { type: 'identify', traits: { theme: 'dark' } },
      { type: 'custom', name: 'identify', data: { theme: 'dark' } },
    ],
    [
      'group',
      { type: 'group', groupId: 7, traits: { name: 'Acme', seats: 3 } },
      { type: 'custom', name: 'group', data: { group_id: '7', 'group.name': 'Acme', 'group.seats': 3 } },
    ],
    [
      'alias',
      { type: 'alias', previousId: 'old-1', userId: 'ann' },
      { type: 'identify', device_id: 'old-1', user_id: 'ann' },
    ],
  ])('%s', (_name, message, expected) => {
    expect(translated({ ...who, ...message }).event).toEqual({ ...shared, ...expected })
  })
})

it('reads numeric ids as texts, and leaves out values that are not an id', () => {
  const { event } = translated({ type: 'track', event: 'x', messageId: 1, anonymousId: null, userId: 42 })
  expect(event).toEqual({ type: 'custom', name: 'x', event_id: '1', user_id: '42' })
  expect(translated({ type: 'track', event: 'x', userId: {}, anonymousId: '' }).event).toEqual({
    type: 'custom',
    name: 'x',
  })
})

it('has the time of the client, which some clients call the original one', () => {
  const times = { timestamp: '2026-05-01T10:00:00Z', originalTimestamp: '2026-05-01T09:00:00Z' }
  expect(translated({ type: 'track', event: 'x', ...times }).event).toHaveProperty('timestamp', times.timestamp)
  const { originalTimestamp } = times
  expect(translated({ type: 'track', event: 'x', originalTimestamp }).event).toHaveProperty(
    'timestamp',
    originalTimestamp,
  )
})

it('states campaign, referring site, user agent and session of the context', () => {
  const campaign = { name: 'spring', source: 'news', medium: 'mail', term: 'shoes', content: 'a', id: 5, empty: null }
  const { event, supplement } = translated({
    type: 'track',
    event: 'x',
    context: { page, campaign, userAgent: 'Agent/1', sessionId: 's-1' },
  })
  expect(event).toHaveProperty('session_id', 's-1')
  expect(supplement).toEqual({
    userAgent: 'Agent/1',
    referrer: page.referrer,
    utm: {
      utm_campaign: 'spring',
      utm_source: 'news',
      utm_medium: 'mail',
      utm_term: 'shoes',
      utm_content: 'a',
      utm_id: '5',
    },
  })
})

it('does not take a page of the same site for a referring site', () => {
  const context = { page: { url: 'https://shop.example/b', referrer: 'https://shop.example/a' } }
  expect(translated({ type: 'track', event: 'x', context }).supplement).toBeUndefined()
})

test.each([
  ['text', 'not_an_object'],
  [{ type: 'delete' }, 'unknown_type'],
  [{ type: 'constructor' }, 'unknown_type'],
  [{ event: 'x' }, 'unknown_type'],
  [{ type: 'track', event: '' }, 'missing_field'],
  [{ type: 'group', traits: {} }, 'missing_field'],
])('a message without meaning is dropped with a reason: %j', (message, reason) => {
  expect(segmentEvent(message)).toMatchObject({ reason })
})

it('keeps the other messages of a batch, and reads when it was sent', () => {
  const batch = [{ type: 'track', event: 'a' }, 5, { type: 'track' }, { type: 'track', event: 'b' }]
  const { events, sentAt } = segmentBatch({ batch, sentAt: '2026-05-01T10:00:00Z' })
  expect(sentAt).toBe(Date.parse('2026-05-01T10:00:00Z'))
  expect(events.map((each) => (each instanceof Dropped ? each.reason : each.event['name']))).toEqual([
    'a',
    'not_an_object',
    'missing_field',
    'b',
  ])
})

it('reads from the messages when a batch was sent that does not say so itself', () => {
  const at = (sentAt?: string) => ({ type: 'track', event: 'a', sentAt })
  const batch = [at('2026-05-01T10:00:00Z'), at('2026-05-01T10:00:01Z'), at(), at('no time')]
  expect(segmentBatch({ batch }).sentAt).toBe(Date.parse('2026-05-01T10:00:01Z'))
  expect(segmentBatch({ batch: [at()] }).sentAt).toBeUndefined()
})

it('applies the context of a batch to its messages, whose own fields take precedence', () => {
  const { events } = segmentBatch({
    batch: [{ type: 'track', event: 'a', context: { userAgent: 'Own/1' } }],
    context: { userAgent: 'Batch/1', campaign: { source: 'news' } },
  })
  expect(events).toMatchObject([{ supplement: { userAgent: 'Own/1', utm: { utm_source: 'news' } } }])
})

test.each([
  [{ userId: 'ann', event: 'x' }, true],
  [{ userId: 'ann', traits: {}, messageId: 'm' }, true],
  [{ userId: 'ann', context: {} }, true],
  [{ userId: 'ann', sentAt: '2026-05-01T10:00:00Z' }, true],
  [{ userId: 'ann', writeKey: 'hw_1' }, true],
  [{ anonymousId: 'a', userId: 'ann', type: 'signed_up', data: {} }, false],
  [{ anonymousId: 'a', userId: 'ann', traits: {} }, false],
  [[{ event: 'x' }], false],
])('a body is distinguished from one in the format of Hopper by its fields: %j', (body, isSegments) => {
  expect(isSegmentMessage(body)).toBe(isSegments)
})
