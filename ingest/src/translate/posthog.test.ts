import { describe, expect, it, test } from 'vitest'
import { Dropped } from '../batch/incoming.ts'
import { posthogEvent, type RequestTimes } from './posthog.ts'

function translated(message: object, sending?: RequestTimes): { event: object; supplement?: object | undefined } {
  const result = posthogEvent(message, sending)
  if (result instanceof Dropped) throw new Error(result.message)
  return result
}
const anonymous = { $device_id: 'dev-1', $is_identified: false, $lib: 'web', distinct_id: 'dev-1' }
const identified = { ...anonymous, $is_identified: true, $user_id: 'ann', distinct_id: 'ann' }
const url = 'https://shop.example/cart?a=1'

describe('an event of the browser', () => {
  test.each([
    [
      'a page view with the browser’s referrer',
      { event: '$pageview', properties: { ...anonymous, $current_url: url, $referrer: 'https://search.example/' } },
      { type: 'url_change', from: 'https://search.example/', to: url, elapsed_time: 0, device_id: 'dev-1' },
    ],
    [
      'a page view without a referrer',
      { event: '$pageview', properties: { ...anonymous, $current_url: url, $referrer: '$direct' } },
      { type: 'url_change', from: '', to: url, elapsed_time: 0, device_id: 'dev-1' },
    ],
    [
      'a page view after another one in the same document',
      {
        event: '$pageview',
        properties: {
          ...anonymous,
          $current_url: url,
          $referrer: 'https://search.example/',
          $prev_pageview_pathname: '/home',
          $prev_pageview_duration: 1.5,
        },
      },
      { type: 'url_change', from: 'https://shop.example/home', to: url, elapsed_time: 1_500, device_id: 'dev-1' },
    ],
    [
      'leaving a page',
      {
        event: '$pageleave',
        properties: { ...anonymous, $current_url: url, $prev_pageview_duration: 3, $prev_pageview_last_scroll: 9 },
      },
      {
        type: 'custom',
        name: '$pageleave',
        data: { $prev_pageview_duration: 3 },
        current_url: url,
        device_id: 'dev-1',
      },
    ],
    [
      'an event of the site, without what the client says about itself',
      {
        event: 'added',
        properties: { ...anonymous, plan: 'pro', $browser: 'Chrome', $screen_width: 9, gclid: null, token: 't' },
      },
      { type: 'custom', name: 'added', data: { plan: 'pro' }, device_id: 'dev-1' },
    ],
    [
      'an event of a person who is known',
      { event: 'added', properties: identified },
      { type: 'custom', name: 'added', data: {}, device_id: 'dev-1', user_id: 'ann' },
    ],
    [
      'identify',
      {
        event: '$identify',
        properties: { ...identified, $anon_distinct_id: 'dev-1' },
        $set: { plan: 'pro' },
        $set_once: { plan: 'free', source: 'ad', $initial_referrer: '$direct' },
      },
      { type: 'identify', device_id: 'dev-1', user_id: 'ann', data: { plan: 'pro', source: 'ad' } },
    ],
    [
      'traits of a person who is known',
      { event: '$set', properties: { ...identified, $set: { plan: 'pro' } } },
      { type: 'identify', device_id: 'dev-1', user_id: 'ann', data: { plan: 'pro' } },
    ],
    [
      'traits of nobody',
      { event: '$set', properties: { ...anonymous, $set: { plan: 'pro' } } },
      { type: 'custom', name: '$set', data: { $set: { plan: 'pro' } }, device_id: 'dev-1' },
    ],
    [
      'an alias of a device that nobody is identified in',
      { event: '$create_alias', properties: { ...anonymous, alias: 'ann' } },
      { type: 'identify', device_id: 'dev-1', user_id: 'ann' },
    ],
  ])('%s', (_name, message, expected) => {
    expect(translated(message).event).toEqual(expected)
  })
})

describe('an event of a server', () => {
  test.each([
    [
      'is its user’s',
      { event: 'paid', distinct_id: 'ann', properties: { $lib: 'posthog-node', amount: 5 } },
      { type: 'custom', name: 'paid', data: { amount: 5 }, user_id: 'ann' },
    ],
    [
      'is of no user when it says so',
      { event: 'paid', distinct_id: 'x-1', properties: { $lib: 'posthog-node', $process_person_profile: false } },
      { type: 'custom', name: 'paid', data: {}, device_id: 'x-1' },
    ],
    [
      'identifies a user, and the device that it names',
      { event: '$identify', distinct_id: 'ann', properties: { $set: { plan: 'pro' }, $anon_distinct_id: 'dev-1' } },
      { type: 'identify', device_id: 'dev-1', user_id: 'ann', data: { plan: 'pro' } },
    ],
    [
      'names the device as the alias of a user',
      { event: '$create_alias', distinct_id: 'ann', properties: { alias: 'dev-1' } },
      { type: 'identify', device_id: 'dev-1', user_id: 'ann' },
    ],
    [
      'sets traits without a name of its own',
      { $distinct_id: 'ann', $set: { plan: 'pro' } },
      { type: 'identify', user_id: 'ann', data: { plan: 'pro' } },
    ],
    [
      'may have an id that is a number',
      { event: 'paid', distinct_id: 42, properties: {} },
      { type: 'custom', name: 'paid', data: {}, user_id: '42' },
    ],
  ])('%s', (_name, message, expected) => {
    expect(translated(message).event).toEqual(expected)
  })

  it('of a phone belongs to its device until a user is identified', () => {
    const properties = { $lib: 'posthog-ios' }
    expect(translated({ event: 'a', distinct_id: 'phone-1', properties }).event).toMatchObject({ device_id: 'phone-1' })
    const known = { ...properties, $is_identified: true }
    expect(translated({ event: 'a', distinct_id: 'ann', properties: known }).event).toMatchObject({ user_id: 'ann' })
  })
})

it('keeps all properties of the sender, and after them some of those that PostHog adds', () => {
  const properties = { $feature_flag: 'f', '$feature/f': true, $exception_type: 'E', $os: 'Linux', b: 1, a: 2 }
  const { event } = translated({ event: 'x', distinct_id: 'u', properties })
  expect(Object.entries((event as { data: object }).data)).toEqual([
    ['b', 1],
    ['a', 2],
    ['$feature_flag', 'f'],
    ['$feature/f', true],
    ['$exception_type', 'E'],
  ])
})

it('states user agent, referring site and campaign, and the session', () => {
  const { event, supplement } = translated({
    event: 'x',
    uuid: 'u-1',
    properties: {
      ...anonymous,
      $session_id: 's-1',
      $current_url: url,
      $raw_user_agent: 'Agent/1',
      $referrer: 'https://search.example/q',
      utm_source: 'news',
      utm_medium: null,
    },
  })
  expect(event).toMatchObject({ event_id: 'u-1', session_id: 's-1', data: {}, current_url: url })
  expect(supplement).toEqual({
    userAgent: 'Agent/1',
    referrer: 'https://search.example/q',
    utm: { utm_source: 'news' },
  })
})

describe('the time', () => {
  const timestamp = (message: object, sending?: RequestTimes): unknown =>
    (translated({ event: 'x', distinct_id: 'u', ...message }, sending).event as { timestamp?: unknown }).timestamp
  const sending = { sentAt: 10_000_000, receivedAt: 20_000_000 }

  it('is the one that was sent', () => {
    const sent = '2026-05-01T10:00:00Z'
    expect(timestamp({ timestamp: sent, offset: 5, properties: { $time: 1 } }, sending)).toBe(sent)
  })

  it('is the one of the capture, which does not change when the event is sent again', () => {
    expect(timestamp({ offset: 5, properties: { $time: 1_777_000_000.5 } }, sending)).toBe(1_777_000_000_500)
  })

  it('is as long before the sending as the event says, when the page has set another time', () => {
    const properties = { $time: 1_777_000_000.5, $event_time_override_provided: true }
    expect(timestamp({ offset: 500, properties }, sending)).toBe(9_999_500)
    expect(timestamp({ offset: 500 }, { receivedAt: 20_000_000 })).toBe(19_999_500)
  })

  it('is left to the receiver when nothing says it', () => {
    expect(timestamp({})).toBeUndefined()
    expect(timestamp({ offset: 500 })).toBeUndefined()
  })
})

test.each([
  [5, 'not_an_object'],
  [{ distinct_id: 'u' }, 'missing_field'],
  [{ event: '', distinct_id: 'u' }, 'missing_field'],
  [{ event: '$snapshot', distinct_id: 'u' }, 'unknown_type'],
])('what has no meaning here is dropped with a reason: %j', (message, reason) => {
  expect(posthogEvent(message)).toMatchObject({ reason })
})
