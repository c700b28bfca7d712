import { expect, it } from 'vitest'
import { FunnelPlan } from '../plan/funnel-plan.ts'
import { PlanState } from './plan-state.ts'

it('scans of one plan do not affect each other: an event that matches two steps makes only its own complex', () => {
  const plan = new FunnelPlan({ from: 0, to: 1_000, steps: ['a', 'b'].map((name) => ({ name, filters: [] })) })
  const [one, other] = [new PlanState(plan), new PlanState(plan)]
  expect(one.symbolOf({ steps: [1], exclusions: [] })).toBe(1)
  expect([one.isSimple, other.isSimple]).toEqual([true, true])
  expect(one.symbolOf({ steps: [2, 1], exclusions: [] })).toBe(2)
  expect([one.isSimple, other.isSimple]).toEqual([false, true])
  expect(one.symbolSteps).toEqual([[], [1], [2, 1]])
  expect(other.symbolOf({ steps: [2], exclusions: [] })).toBe(1)
  expect(other.symbolSteps).toEqual([[], [2]])
})
