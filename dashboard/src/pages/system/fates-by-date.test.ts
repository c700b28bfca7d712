import { expect, it } from 'vitest'
import { courseOf, totalsOf } from './fates-by-date.ts'

const fates = {
  from: '2026-02-28',
  to: '2026-03-02',
  rows: [
    { date: '2026-02-28', fate: 'accepted', reason: 'new', events: 5 },
    { date: '2026-02-28', fate: 'late', reason: 'after_settled', events: 2 },
    { date: '2026-03-02', fate: 'accepted', reason: 'new', events: 1 },
    { date: '2026-03-02', fate: 'bot', reason: 'webdriver', events: 3 },
  ],
}

it('adds up fates over dates, and has a number for each date', () => {
  expect(totalsOf(fates)).toEqual([
    { fate: 'accepted', reason: 'new', events: 6 },
    { fate: 'late', reason: 'after_settled', events: 2 },
    { fate: 'bot', reason: 'webdriver', events: 3 },
  ])
  expect(courseOf(fates)).toEqual({
    dates: ['2026-02-28', '2026-03-01', '2026-03-02'],
    counted: [7, 0, 1],
    others: [0, 0, 3],
  })
})
