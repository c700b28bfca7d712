import { describe, expect, it } from 'vitest'
import { funnelSteps } from './funnel-steps.ts'

const row = (stage: number, users: number): { stage: number; name: string; users: number; rate: number } => ({
  stage,
  name: `S${stage}`,
  users,
  rate: users / 10,
})

describe('funnelSteps', () => {
  it('computes the drop since the previous stage', () => {
    const steps = funnelSteps({ rows: [row(1, 10), row(2, 4), row(3, 5)] })
    expect(steps.map(({ dropped, dropRate }) => [dropped, dropRate])).toEqual([
      [null, null],
      [6, 0.6],
      [-1, -0.25],
    ])
  })

  it('has no drop rate after an empty stage', () => {
    expect(funnelSteps({ rows: [row(1, 0), row(2, 0)] })[1]).toMatchObject({ dropped: 0, dropRate: null })
  })
})
