import { describe, expect, it } from 'vitest'
import type { FunnelAnswer, FunnelStepAnswer } from '@hopper/contracts'
import { overviewSentence } from './sentence.ts'

const time = { median_ms: 1, average_ms: 1, p90_ms: 1, histogram: [] }
const causes = { open: 0, excluded: 0, late: 0, mismatch: 0, before: 0, never: 0 }

function answerOf(counts: readonly number[], open: number, breakdown?: Record<string, [number, number]>): FunnelAnswer {
  const steps = counts.map((count, index): FunnelStepAnswer => {
    const before = counts[index - 1] ?? count
    const deciding = index === 0 ? 0 : Math.min(open, before - count)
    return {
      name: ['Home', 'Cart', 'Thanks'][index]!,
      count,
      rate: null,
      rate_from_previous: null,
      dropped: before - count,
      causes: { ...causes, open: deciding, never: before - count - deciding },
      time,
    }
  })
  const total = counts[0]!
  return {
    total,
    steps,
    overall: { rate: total === 0 ? null : counts.at(-1)! / total, time },
    ...(breakdown
      ? {
          breakdown: Object.entries(breakdown).map(([value, [n, hits]]) => ({
            value,
            total: n,
            steps: [n, hits].map((count) => ({ ...steps[0]!, count })),
          })),
        }
      : {}),
    meta: { from: '', to: '', timezone: 'UTC', complete_to: 0, settled: true },
  }
}

const textOf = (answer: FunnelAnswer, before?: FunnelAnswer): string =>
  overviewSentence({ funnel: 'Checkout', unit: 'person', answer, by: 'device', ...(before ? { before } : {}) })
    .map(({ text }) => text)
    .join('')
    .replaceAll('\u202f', ' ')

describe('the sentence of the overview', () => {
  it('says the rate, the change, the worst stage and the worst device', () => {
    const devices = { desktop: [955, 99], mobile: [802, 42] } as Record<string, [number, number]>
    expect(textOf(answerOf([1_845, 446, 150], 0, devices), answerOf([1_700, 400, 111], 0))).toBe(
      '8.1 % of 1,845 people who started Checkout went all the way, 1.6 pts more than before (6.5 %), ' +
        'which can be chance (z\u00a0=\u00a01.8). The largest share is lost before Cart (75.8 %). ' +
        'Worst device: mobile with 5.2 % against 10.4 % of the others: beyond chance (z\u00a0=\u00a03.9).',
    )
  })

  it('makes no claim that is chance or too small', () => {
    expect(textOf(answerOf([40, 20, 2], 0, { a: [20, 0], b: [20, 2] }), answerOf([10, 5, 5], 0))).toBe(
      '5.0 % of 40 people who started Checkout went all the way, 45.0 pts less than before (50.0 %), ' +
        'too few to tell. ' +
        'The largest share is lost before Thanks (90.0 %).',
    )
  })

  it('does not call those lost who are still deciding', () => {
    expect(textOf(answerOf([100, 60, 60], 40))).toBe(
      '60.0 % of 100 people who started Checkout went all the way. 40 are still deciding.',
    )
    expect(textOf(answerOf([100, 50, 20], 30))).toBe(
      '20.0 % of 100 people who started Checkout went all the way. 60 are still deciding. ' +
        'The largest share is lost before Cart (20.0 %, besides those who are still deciding).',
    )
  })

  it('is empty if nobody started', () => {
    expect(overviewSentence({ funnel: 'Checkout', unit: 'person', answer: answerOf([0, 0], 0), by: 'device' })).toEqual(
      [],
    )
  })
})
