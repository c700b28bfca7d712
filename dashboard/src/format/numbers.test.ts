import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDuration,
  formatPercent,
  formatPoints,
  formatSeconds,
} from './numbers.ts'

describe('number formats', () => {
  it('show bytes in a decimal unit', () => {
    expect([0, 999, 1_000, 1_234_567, 999_950_000, 5e15].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.2 MB',
      '1.0 GB',
      '5.0 PB',
    ])
  })

  it('group the digits of counts', () => {
    expect(formatCount(1234567)).toBe('1,234,567')
    expect(formatCount(-12)).toBe('−12')
  })

  it('show a share of 1 as a percentage with one decimal, two below 1 %', () => {
    expect(formatPercent(0.1234)).toBe('12.3\u202f%')
    expect(formatPercent(1)).toBe('100.0\u202f%')
    expect(formatPercent(0.00612)).toBe('0.61\u202f%')
    expect(formatPercent(0)).toBe('0.0\u202f%')
    expect(formatPercent(-0.052)).toBe('−5.2\u202f%')
    expect(formatPercent(null)).toBe('–')
  })

  it('show differences with their sign', () => {
    expect([0.016, -0.016, 0, 0.00004].map(formatPoints)).toEqual(['+1.6 pts', '−1.6 pts', '±0.0 pts', '±0.00 pts'])
    expect(formatChange(150, 100)).toBe('+50.0\u202f%')
    expect(formatChange(50, 100)).toBe('−50.0\u202f%')
    expect(formatChange(5, 0)).toBeNull()
  })

  it('show a duration in a natural unit', () => {
    expect(
      [0, 999, 1000, 59_949, 59_950, 65_000, 3_599_400, 3_600_000, 7_800_000, 129_600_000].map(formatDuration),
    ).toEqual(['0 ms', '999 ms', '1.0 s', '59.9 s', '1 min', '1 min 5 s', '59 min 59 s', '1 h', '2 h 10 min', '1.5 d'])
    expect(formatSeconds(12.345)).toBe('12.3 s')
    expect(formatSeconds(null)).toBe('–')
  })
})
