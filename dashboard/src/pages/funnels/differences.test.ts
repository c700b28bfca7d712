import { describe, expect, it } from 'vitest'
import type { FunnelAnswer } from '@hopper/contracts'
import { byEffect, differences } from './differences.ts'

type Rows = NonNullable<FunnelAnswer['breakdown']>
const row = (value: string, count: number, dropped: number, open = 0): Rows[number] => ({
  value,
  total: count + dropped,
  steps: [{}, { count, dropped, causes: { open } }] as Rows[number]['steps'],
})

describe('the differences between the lost and those who continued', () => {
  it('leave out people who are still deciding, and values of fewer than 30 people', () => {
    const found = differences('device', [row('desktop', 300, 200), row('mobile', 100, 420, 20), row('tv', 20, 9)], 2)
    expect(found.map(({ value, lost, wentOn }) => [value, lost, wentOn])).toEqual([
      ['desktop', 200, 300],
      ['mobile', 400, 100],
    ])
    expect(found[1]!.shareOfLost).toBeCloseTo(400 / 609)
    expect(found[1]!.shareOfOn).toBeCloseTo(100 / 420)
    expect(found[1]!.verdict.is).toBe('real')
  })

  it('are empty if nobody was lost or nobody continued', () => {
    expect(differences('device', [row('desktop', 300, 0)], 2)).toEqual([])
    expect(differences('device', [row('desktop', 0, 300)], 2)).toEqual([])
  })

  it('are ordered by effect', () => {
    const weak = differences('os', [row('a', 100, 100), row('b', 100, 104)], 2)
    const strong = differences('device', [row('c', 100, 20), row('d', 20, 100)], 2)
    expect(byEffect([...weak, ...strong])[0]!.key).toBe('device')
  })
})
