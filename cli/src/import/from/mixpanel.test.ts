import { expect, it } from 'vitest'
import { mixpanelEvent } from './mixpanel.ts'

const common = { time: 1_600_000_000, $insert_id: 'i1' }
const known = { event_id: 'i1', timestamp: 1_600_000_000_000 }

it('translates an event with its properties; names of Mixpanel are left out', () => {
  const properties = { ...common, distinct_id: 'd', plan: 'pro', $city: 'Berlin', mp_lib: 'web', $browser: 'Chrome' }
  expect(
    mixpanelEvent({ event: 'Signed up', properties: { ...properties, $os: 'Mac OS X', utm_source: 'ads' } }),
  ).toEqual({
    event: { ...known, type: 'custom', name: 'Signed up', device_id: 'd', data: { plan: 'pro' } },
    supplement: { agent: { device: 'desktop', browser: 'Chrome', os: 'Mac OS X' }, utm: { utm_source: 'ads' } },
  })
})

it.each([
  [{ distinct_id: 'd' }, { device_id: 'd' }],
  [{ distinct_id: '$device:d' }, { device_id: 'd' }],
  [
    { distinct_id: 'ann', $user_id: 'ann', $device_id: 'd' },
    { device_id: 'd', user_id: 'ann' },
  ],
  [{ distinct_id: 'ann', $user_id: 'ann' }, { user_id: 'ann' }],
  [{ distinct_id: 13_793 }, { device_id: '13793' }],
])('knows whose it is: %j', (properties, subject) => {
  const { event } = mixpanelEvent({ event: 'n', properties: { ...common, ...properties } })
  expect(event).toEqual({ ...known, type: 'custom', name: 'n', data: {}, ...subject })
})

it('translates page views and identities', () => {
  const view = {
    ...common,
    distinct_id: 'd',
    $current_url: 'https://shop.example/a?b=1',
    $referrer: 'https://news.example/x',
  }
  expect(mixpanelEvent({ event: '$mp_web_page_view', properties: view })).toMatchObject({
    event: { type: 'url_change', from: 'https://news.example/x', to: 'https://shop.example/a?b=1', elapsed_time: 0 },
    supplement: { referrer: 'https://news.example/x' },
  })
  const identity = { ...common, distinct_id: 'ann', $anon_id: '$device:d', $identified_id: 'ann' }
  expect(mixpanelEvent({ event: '$identify', properties: identity }).event).toEqual({
    ...known,
    type: 'identify',
    device_id: 'd',
    user_id: 'ann',
  })
})

it('accepts times in ms too, and leaves other texts to be rejected', () => {
  const timeOf = (time: unknown): unknown =>
    (mixpanelEvent({ event: 'n', properties: { time } }).event as Record<string, unknown>)['timestamp']
  expect([1_600_000_000_123, 1_600_000_000.5, 'soon', undefined].map(timeOf)).toEqual([
    1_600_000_000_123,
    1_600_000_000_500,
    'soon',
    undefined,
  ])
  expect(mixpanelEvent({}).event).toMatchObject({ type: 'custom', name: undefined })
})
