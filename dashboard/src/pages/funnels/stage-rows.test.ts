import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FunnelStepAnswer } from '@hopper/contracts'
import { finalRateOf, stageRows, worstStage } from './stage-rows.ts'

const time = { median_ms: 1_500, average_ms: 2_000, p90_ms: 3_000, histogram: [] }
const none = { open: 0, excluded: 0, late: 0, mismatch: 0, before: 0, never: 0 }

function step(count: number, before: number, causes: Partial<FunnelStepAnswer['causes']> = {}): FunnelStepAnswer {
  const all = { ...none, ...causes }
  return {
    name: `of ${count}`,
    count,
    rate: null,
    rate_from_previous: before === 0 ? null : count / before,
    dropped: before - count,
    causes: all,
    time,
  }
}

describe('the rows of a funnel', () => {
  it('distinguish those who are lost from those who are still deciding', () => {
    const rows = stageRows([step(1_044, 1_044), step(446, 1_044, { never: 451, open: 138, late: 4, before: 5 })])
    expect(rows[0]).toMatchObject({ lost: 0, deciding: 0, rateFromBefore: null, medianMs: null, finalRate: null })
    expect(rows[1]).toMatchObject({ before: 1_044, lost: 460, deciding: 138, medianMs: 1_500 })
    expect(rows[1]!.causes).toEqual([
      { cause: 'never', count: 451 },
      { cause: 'before', count: 5 },
      { cause: 'late', count: 4 },
    ])
    expect(rows[1]!.finalRate!.low).toBeCloseTo(0.427, 3)
    expect(rows[1]!.finalRate!.high).toBeCloseTo(0.559, 3)
  })

  it('end with a range as long as anybody is deciding, at any stage', () => {
    const rows = stageRows([step(100, 100), step(40, 100, { open: 10, never: 50 }), step(20, 40, { never: 20 })])
    expect(finalRateOf(rows)).toEqual({ low: 0.2, high: 0.3 })
    expect(finalRateOf(stageRows([step(0, 0)]))).toBeNull()
    expect(finalRateOf(stageRows([step(5, 5), step(5, 5)]))).toBeNull()
  })

  it('have the worst stage where the largest share is lost finally', () => {
    expect(
      worstStage(stageRows([step(100, 100), step(40, 100, { open: 60 }), step(30, 40, { never: 10 })]))!.stage,
    ).toBe(3)
    expect(worstStage(stageRows([step(100, 100), step(100, 100)]))).toBeUndefined()
    expect(worstStage(stageRows([step(0, 0), step(0, 0)]))).toBeUndefined()
  })

  it('always add up: reached, deciding and each cause are those of the stage before', () => {
    const counts = fc.array(fc.nat(500), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(counts, (n) => {
        const [reached, open, never, late, before, excluded] = n as [number, number, number, number, number, number]
        const all = n.reduce((sum, one) => sum + one, 0)
        const [, row] = stageRows([step(all, all), step(reached, all, { open, never, late, before, excluded })])
        const lost = row!.causes.reduce((sum, { count }) => sum + count, 0)
        return row!.lost === lost && row!.count + row!.deciding + lost === row!.before
      }),
    )
  })
})
