import { expect, test } from 'vitest'
import { EventRates, type RateSample } from './event-rates.ts'

const sample = (seconds: number, events: number, date = '2026-03-30', messages = events): RateSample => ({
  at: seconds * 1_000,
  events: new Map([['shop', new Map([[date, events]])]]),
  messages,
})

test('the rate covers the last minute of many samples', () => {
  const rates = new EventRates()
  expect([rates.events(['shop']), rates.messages()]).toEqual([0, 0])
  for (let second = 0; second <= 300; second += 5)
    rates.add(sample(second, second < 200 ? second * 10 : 2_000 + (second - 200) * 3))
  expect([rates.events(['shop']), rates.events(['other']), rates.messages()]).toEqual([3, 0, 3])
  rates.add(sample(300.2, 2_361))
  expect(rates.events(['shop'])).toBeCloseTo(241 / 60.2, 5)
})

test('two samples are enough; dates are added up, and counts that shrink in a rebuild give no negative rate', () => {
  const rates = new EventRates()
  rates.add(sample(0, 100))
  rates.add({
    at: 2_000,
    events: new Map([
      [
        'shop',
        new Map([
          ['2026-03-30', 110],
          ['2026-03-31', 10],
        ]),
      ],
    ]),
    messages: 120,
  })
  expect([rates.events(['shop']), rates.messages()]).toEqual([10, 10])
  rates.add(sample(4, 50))
  expect([rates.events(['shop']), rates.messages()]).toEqual([0, 0])
})
