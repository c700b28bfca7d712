import { expect, it } from 'vitest'
import { formatSpan } from './spans.ts'

it('formats a span by its largest unit', () => {
  const day = 86_400
  const spans = [-1, 0, 40, 100, 3 * 3_600, 36 * 3_600, 3 * day, 90 * day, 3 * 365.25 * day, 1e12]
  expect(spans.map(formatSpan)).toEqual([
    '0 s',
    '0 s',
    '40 s',
    '2 min',
    '3 h',
    '36 h',
    '3 days',
    '3 months',
    '3 years',
    'more than 100 years',
  ])
})
