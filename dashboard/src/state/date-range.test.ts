import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dateIn, daysOf, includesToday, isDate, presets, resolveRange, shiftDate, trafficStep } from './date-range.ts'

const anyDate = fc.integer({ min: 0, max: 40_000 }).map((day) => shiftDate('1990-01-01', day))

describe('a date range', () => {
  it('ends today for every preset and has the number of days in its name', () => {
    expect(resolveRange({ preset: 'today' }, '2026-03-01')).toEqual({ from: '2026-03-01', to: '2026-03-01' })
    expect(resolveRange({ preset: '7d' }, '2026-03-01')).toEqual({ from: '2026-02-23', to: '2026-03-01' })
    expect(daysOf(resolveRange({ preset: '30d' }, '2026-03-01'))).toBe(30)
    expect(daysOf(resolveRange({ preset: '90d' }, '2026-03-01'))).toBe(90)
  })

  it('covers twelve months without the same day a year ago, even around a leap day', () => {
    expect(resolveRange({ preset: '12m' }, '2026-11-21')).toEqual({ from: '2025-11-22', to: '2026-11-21' })
    expect(resolveRange({ preset: '12m' }, '2028-02-29')).toEqual({ from: '2027-03-01', to: '2028-02-29' })
    fc.assert(fc.property(anyDate, (today) => [365, 366].includes(daysOf(resolveRange({ preset: '12m' }, today)))))
  })

  it('always includes today for a preset', () => {
    fc.assert(
      fc.property(anyDate, fc.constantFrom(...presets), (today, preset) =>
        includesToday(resolveRange({ preset }, today), today),
      ),
    )
  })

  it('is drawn by hour up to three days and by date above that', () => {
    expect(trafficStep({ from: '2026-01-01', to: '2026-01-03' })).toBe('hour')
    expect(trafficStep({ from: '2026-01-01', to: '2026-01-04' })).toBe('day')
  })

  it('computes the date of an instant in a time zone', () => {
    const at = Date.parse('2026-01-31T23:30:00Z')
    expect(dateIn('UTC', at)).toBe('2026-01-31')
    expect(dateIn('Asia/Tokyo', at)).toBe('2026-02-01')
  })

  it('refuses a text that is not a calendar date', () => {
    expect(['2026-02-28', '2028-02-29'].every(isDate)).toBe(true)
    expect(['2026-02-29', '2026-2-1', '', 'x', '2026-13-01'].some(isDate)).toBe(false)
  })
})
