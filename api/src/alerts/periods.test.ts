import { timeZone } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { latestSettled, mondayOf, weeksBefore } from './periods.ts'

const HOUR_MS = 3_600_000
const zone = timeZone('Europe/Berlin')

it('a week begins on Monday', () => {
  const days = ['2026-03-23', '2026-03-24', '2026-03-28', '2026-03-29', '2026-03-30']
  expect(days.map(mondayOf)).toEqual(['2026-03-23', '2026-03-23', '2026-03-23', '2026-03-23', '2026-03-30'])
})

it('a day is settled when the time to finish is over for its last start', () => {
  // the day of the change of clocks ends at 22:00 UTC
  const end = zone.startOf('2026-03-30')
  expect(new Date(end).toISOString()).toBe('2026-03-29T22:00:00.000Z')
  expect(latestSettled('day', zone, end + 2 * HOUR_MS, 2 * HOUR_MS).from).toBe('2026-03-29')
  expect(latestSettled('day', zone, end + 2 * HOUR_MS - 1, 2 * HOUR_MS).from).toBe('2026-03-28')
})

it('a week is settled in the same way, and is compared with those before it', () => {
  const end = zone.startOf('2026-03-30')
  const week = latestSettled('week', zone, end + HOUR_MS, HOUR_MS)
  expect(week).toEqual({ from: '2026-03-23', to: '2026-03-29' })
  expect(latestSettled('week', zone, end, HOUR_MS)).toEqual({ from: '2026-03-16', to: '2026-03-22' })
  expect(weeksBefore(week, 2)).toEqual([
    { from: '2026-03-16', to: '2026-03-22' },
    { from: '2026-03-09', to: '2026-03-15' },
  ])
})
