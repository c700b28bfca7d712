import { describe, expect, it } from 'vitest'
import type { FunnelAnswer } from '@hopper/contracts'
import { breakdownRows } from './breakdown.ts'

type Rows = NonNullable<FunnelAnswer['breakdown']>
const row = (value: Rows[number]['value'], total: number, last: number, other?: true): Rows[number] => ({
  value,
  total,
  steps: [total, last].map((count) => ({ count })) as Rows[number]['steps'],
  ...(other ? { other } : {}),
})

describe('a breakdown', () => {
  it('marks the value with the lowest rate, and says whether that is chance', () => {
    const rows = breakdownRows([row('desktop', 955, 99), row('mobile', 802, 42), row('tablet', 88, 9)])
    expect(rows.map(({ value, isWorst, verdict }) => [value, isWorst, verdict.is])).toEqual([
      ['desktop', false, 'real'],
      ['mobile', true, 'real'],
      ['tablet', false, 'chance'],
    ])
  })

  it('never marks a small sample, which is too small to tell', () => {
    const rows = breakdownRows([row('a', 500, 250), row('b', 400, 180), row('c', 29, 0)])
    expect(rows.map(({ isSmall, isWorst, verdict }) => [isSmall, isWorst, verdict.is])).toEqual([
      [false, false, expect.any(String)],
      [false, true, 'chance'],
      [true, false, 'few'],
    ])
  })

  it('marks none if there is nothing to compare with', () => {
    expect(breakdownRows([row('a', 500, 250), row(null, 3, 0)]).some(({ isWorst }) => isWorst)).toBe(false)
    expect(breakdownRows([])).toEqual([])
  })

  it('folds all but the eight largest into one row, and loses nobody', () => {
    const rows = breakdownRows([
      ...Array.from({ length: 12 }, (_, index) => row(`v${index}`, 100 - index, 10)),
      row(null, 50, 1, true),
    ])
    expect(rows).toHaveLength(9)
    expect('value' in rows[8]!).toBe(false)
    expect(rows[8]!.counts).toEqual([92 + 91 + 90 + 89 + 50, 41])
    expect(rows[8]!.isWorst).toBe(false)
  })
})
