import { expect, it } from 'vitest'
import type { EventNames } from '../../format/event-text.ts'
import type { LiveEvent } from './live-list.ts'
import { factsOf, hasText, pageText } from './event-facts.ts'

const event = (more: Partial<LiveEvent> & { readonly type: string }): LiveEvent => ({
  event_id: 'e',
  timestamp: 0,
  device_id: 'phone',
  fate: 'accepted',
  context: {},
  lane: 0,
  position: 0,
  index: 0,
  ...more,
})
const names: EventNames = {
  page: (url) => url,
  element: (xpath) => (xpath === '//*[@id="add"]' ? 'Add to cart' : xpath),
  stage: (funnel, stage) => (funnel === 'checkout' ? 'Cart (Checkout)' : `stage ${stage} (${funnel})`),
}

it('an event says what happened, where, to whom, and where the visit came from', () => {
  expect(
    factsOf(
      event({
        type: 'click',
        target: '//*[@id="add"]',
        current_url: 'https://shop.example/p/1',
        user: 'ann',
        context: { channel: 'paid', referrer: 'search.example', utm: { utm_source: 'letter' } },
      }),
      names,
    ),
  ).toEqual({ what: 'Clicked Add to cart', page: '/p/1', element: 'Add to cart', source: 'letter', person: 'u:ann' })
  expect(factsOf(event({ type: 'click', target: '//a', context: { referrer: 'search.example/' } }), names)).toEqual({
    what: 'Clicked //a',
    element: '//a',
    source: 'search.example',
    person: 'd:phone',
  })
  expect(factsOf(event({ type: 'url_change', from: '', to: 'https://shop.example' }), names)).toMatchObject({
    what: 'Page view',
    page: '/',
  })
  expect(factsOf(event({ type: 'url_change', from: '/cart', to: '' }), names)).toMatchObject({
    what: 'Left the site',
    page: '/cart',
  })
  const stage = (funnel: string): string => factsOf(event({ type: 'funnel_change', funnel, entered: 2 }), names).what
  expect([stage('checkout'), stage('other')]).toEqual(['Entered Cart (Checkout)', 'Entered stage 2 (other)'])
  expect(factsOf(event({ type: 'identify', user_id: 'ann' }), names)).toMatchObject({ person: 'u:ann' })
})

it('a robot is named with the reason, whatever its event was', () => {
  const robot = event({ type: 'custom', name: 'crawl', fate: 'bot', context: { bot: 'headless' } })
  expect(factsOf(robot, names)).toMatchObject({ what: 'crawl', robot: 'headless' })
  expect(factsOf(event({ type: 'custom', name: 'crawl' }), names)).not.toHaveProperty('robot')
})

it('addresses are decoded for reading, and stay as they are if they cannot be', () => {
  expect(pageText('https://shop.example/%D7%A9?q=a%20b')).toBe('/ש?q=a b')
  expect(pageText('shop.example/%E0%A4%A')).toBe('shop.example/%E0%A4%A')
})

it('a search finds texts of the row and texts that only the event has', () => {
  const own = event({ type: 'custom', name: 'order', data: { plan: 'Pro' }, current_url: '/%D7%A9', user: 'Ann' })
  const facts = factsOf(own, names)
  for (const text of ['', ' ORDER', 'pro', 'ש', 'u:ann', 'phone']) expect(hasText(own, facts, text)).toBe(true)
  for (const text of ['orders', 'basic']) expect(hasText(own, facts, text)).toBe(false)
})
