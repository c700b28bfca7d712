import { expect, it } from 'vitest'
import type { FunnelRequest } from '@hopper/contracts'
import { funnelAnswer } from './funnel-answer.ts'
import { FunnelTally } from './funnel-tally.ts'

const request = {
  app: 'a',
  from: 0,
  to: 1_000_000_000,
  order: 'ordered',
  window_ms: 1_000_000_000,
  steps: ['a', 'b', 'c'].map((name) => ({ name, filters: [] })),
} as unknown as FunnelRequest
const context = { timezone: 'UTC', completeTo: 1_000_000_000 }

it.each([
  [40, 40],
  [40, 30_000],
  [30_000, 30_000],
])('merged tallies of %i and %i units with more added give the same answer as one tally of all', (first, second) => {
  const [all, joined] = [new FunnelTally(request, context), new FunnelTally(request, context)]
  let unit = 0
  const add = (units: number, to: FunnelTally): void => {
    for (const last = unit + units; unit < last; unit++) {
      const taken = Float64Array.of(
        unit,
        unit + ((unit * 7_919) % 100_003),
        unit + 200_000 + ((unit * 104_729) % 1_000_003),
      )
      for (const tally of [all, to]) tally.add(unit % 3 === 0 ? 2 : 3, taken, unit % 3 === 0 ? 0 : -1, 0)
    }
  }
  for (const units of [first, second]) {
    const part = new FunnelTally(request, context)
    add(units, part)
    joined.absorb(part.data(), [0])
  }
  add(50, joined)
  expect(joined.durations(1)?.count).toBe(Math.max(first, second) >= 10_000 ? unit : undefined)
  expect(funnelAnswer(request, context, joined, [null])).toEqual(funnelAnswer(request, context, all, [null]))
})
