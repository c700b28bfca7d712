import { expect, it } from 'vitest'
import { eventText, type EventNames } from './event-text.ts'
import { formatDuration } from './numbers.ts'

const names: EventNames = {
  page: (url) => new URL(url).pathname,
  element: (xpath) => (xpath === "//*[@id='add']" ? 'Add to cart' : xpath),
  stage: (funnel, stage) => `${funnel} ${stage}`,
}
const event = { event_id: 'e', timestamp: 0 }

it('names pages, elements and stages as people know them', () => {
  const looked = { type: 'btn_time', target: "//*[@id='add']", action: 'hover-then-clicked', elapsed_time: 1_200 }
  expect(eventText({ ...event, type: 'url_change', to: 'https://shop.example/cart' }, names)).toBe('opened /cart')
  expect(eventText({ ...event, type: 'click', target: "//*[@id='add']" }, names)).toBe('clicked Add to cart')
  expect(eventText({ ...event, ...looked }, names)).toBe(
    `looked at Add to cart for ${formatDuration(1_200)} and clicked`,
  )
  expect(eventText({ ...event, type: 'funnel_change', funnel: 'checkout', entered: 2 }, names)).toBe(
    'reached checkout 2',
  )
})

it('uses the value of the event where no name is known', () => {
  expect(eventText({ ...event, type: 'click', target: '//b' }, names)).toBe('clicked //b')
  expect(eventText({ ...event, type: 'funnel_change', funnel: 'checkout', entered: 2 })).toBe(
    'reached stage 2 of checkout',
  )
  expect(eventText({ ...event, type: 'custom', name: 'order' }, names)).toBe('order')
})
