import { describe, expect, it } from 'vitest'
import { formatClock, formatDates, formatStep, formatTick } from './times.ts'

const at = Date.parse('2026-01-31T23:30:05Z')

describe('time formats', () => {
  it('use the time zone of the app', () => {
    expect(formatClock('UTC', at)).toBe('23:30:05')
    expect(formatClock('Asia/Tokyo', at)).toBe('08:30:05')
    expect(formatTick('Asia/Tokyo', at, 'day')).toBe('1 Feb')
    expect(formatStep('UTC', at, 'hour')).toContain('23:30')
  })

  it('show one date once and two dates as a range', () => {
    expect(formatDates('2026-01-31', '2026-01-31')).toBe('31 Jan 2026')
    expect(formatDates('2026-01-30', '2026-01-31')).toBe('30 Jan 2026 – 31 Jan 2026')
  })
})
