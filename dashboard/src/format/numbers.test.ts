import { describe, expect, it } from 'vitest'
import { formatCount, formatDuration, formatPercent, formatSeconds } from './numbers.ts'

describe('number formats', () => {
  it('group the digits of counts', () => {
    expect(formatCount(1234567)).toBe('1,234,567')
  })

  it('show a share of 1 as a percentage with one decimal', () => {
    expect(formatPercent(0.1234)).toBe('12.3%')
    expect(formatPercent(1)).toBe('100.0%')
    expect(formatPercent(null)).toBe('–')
  })

  it('show a duration in a natural unit', () => {
    expect(
      [0, 999, 1000, 59_949, 59_950, 65_000, 3_599_400, 3_600_000, 7_800_000, 129_600_000].map(formatDuration),
    ).toEqual(['0 ms', '999 ms', '1.0 s', '59.9 s', '1:00 min', '1:05 min', '59:59 min', '1:00 h', '2:10 h', '1.5 d'])
    expect(formatSeconds(12.345)).toBe('12.3 s')
    expect(formatSeconds(null)).toBe('–')
  })
})
