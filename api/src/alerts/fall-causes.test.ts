import { dropCauses, type DropCause } from '@hopper/contracts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addUp, fallenSegment, fallenStage, type FunnelCounts } from './fall-causes.ts'

const none = Object.fromEntries(dropCauses.map((cause) => [cause, 0])) as Record<DropCause, number>

function counts(...steps: [count: number, causes?: Partial<Record<DropCause, number>>][]): FunnelCounts {
  return {
    total: steps[0]![0],
    steps: steps.map(([count, causes], i) => ({ name: `s${i + 1}`, count, causes: { ...none, ...causes } })),
  }
}

it('finds the stage that has lost most, and the causes that have grown there', () => {
  const before = counts([1_000], [600, { never: 300, late: 100 }], [300, { never: 300 }])
  const now = counts([1_000], [300, { never: 310, late: 390 }], [150, { never: 150 }])
  expect(fallenStage(now, before)).toEqual({
    stage: 2,
    name: 's2',
    rate_now: 0.3,
    rate_before: 0.6,
    causes: [
      { cause: 'late', now: 0.39, before: 0.1 },
      { cause: 'never', now: 0.31, before: 0.3 },
    ],
  })
  expect(fallenStage(before, before)).toBeUndefined()
  expect(fallenStage(counts([0], [0]), counts([0], [0]))).toBeUndefined()
  expect(fallenStage(counts([500], [0], [0]), before)?.stage).toBe(2)
})

it('always finds a stage when the whole rate has fallen clearly', () => {
  const funnel = fc
    .tuple(
      fc.integer({ min: 1_000, max: 5_000 }),
      fc.array(fc.double({ min: 0.2, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }),
    )
    .map(([total, rates]) => ({ total, rates }))
  fc.assert(
    fc.property(funnel, fc.nat(), ({ total, rates }, which) => {
      const fallenAt = which % rates.length
      const build = (factor: number): FunnelCounts => {
        const reached = [total]
        rates.forEach((rate, i) => reached.push(Math.round(reached[i]! * rate * (i === fallenAt ? factor : 1))))
        return counts(...reached.map((count): [number] => [count]))
      }
      const [now, before] = [build(0.5), build(1)]
      if (before.steps.at(-1)!.count < 50) return
      expect(fallenStage(now, before)?.stage).toBe(fallenAt + 2)
    }),
  )
})

it('adds up periods, each person once in each', () => {
  const one = counts([10], [4, { never: 6 }])
  const two = counts([30], [6, { never: 20, late: 4 }])
  expect(addUp([one, two] as never)).toEqual(counts([40], [10, { never: 26, late: 4 }]))
  expect(addUp([])).toBeUndefined()
})

it('finds the value whose rate explains most of the fall, and ignores values with too few starts', () => {
  const row = (value: string, total: number, hits: number, other = false): never =>
    ({ value, total, steps: [{ count: total }, { count: hits }], ...(other ? { other } : {}) }) as never
  const now = [[row('mobile', 500, 50), row('desktop', 480, 240), row('tablet', 20, 0), row('rest', 400, 0, true)]]
  const before = [
    [row('mobile', 500, 200), row('desktop', 480, 240), row('tablet', 20, 20)],
    [row('mobile', 500, 200), row('desktop', 480, 240), row('tablet', 20, 20)],
  ]
  const difference = 290 / 1_000 - 460 / 1_000
  const fall = fallenSegment('device', now, before, { starts: 1_000, difference })!
  expect(fall).toMatchObject({ key: 'device', value: 'mobile', rate_now: 0.1, rate_before: 0.4, starts: 500 })
  expect(fall.share).toBeCloseTo(0.15 / 0.17, 10)
  expect(fallenSegment('device', [[row('a', 990, 1)]], [[row('a', 990, 500)]], { starts: 1_000, difference })).toBe(
    undefined,
  )
})
