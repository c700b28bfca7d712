import { dropCauses, type FunnelRequest, type FunnelResult, type FunnelStepAnswer, type Value } from '@hopper/contracts'
import type { BinnedTimes } from './binned-times.ts'
import { conversionTime } from './conversion-time.ts'
import type { FunnelTally, QueryContext } from './funnel-tally.ts'
import { WINDOW_MS_DEFAULT } from './funnel-plan.ts'

/** Makes the answer out of a complete tally; `groups` are the breakdown values by number. */
export function funnelAnswer(request: FunnelRequest, context: QueryContext, tally: FunnelTally, groups: readonly (Value | null)[]): FunnelResult {
  const all = groups.map((_, group) => group)
  const times = tally.times()
  const timesOf = (of: readonly number[], step: number): BinnedTimes[] => of.flatMap((group) => times[group * request.steps.length + step]!)
  const steps = stepAnswers(request, tally, all, timesOf)
  const total = steps[0]!.count
  const answer: FunnelResult = {
    total,
    steps,
    overall: { rate: ratio(steps.at(-1)!.count, total), time: conversionTime(request.steps.length > 1 ? timesOf(all, 0) : []) },
  }
  if (request.breakdown !== undefined) {
    answer.breakdown = all
      .map((group) => {
        const ofGroup = stepAnswers(request, tally, [group], timesOf)
        return { value: groups[group]!, total: ofGroup[0]!.count, steps: ofGroup }
      })
      .filter((row) => row.total > 0)
      .sort((a, b) => b.total - a.total || compareValues(a.value, b.value))
  }
  if (request.trend) answer.trend = trendRows(request, context, tally)
  if (request.people) answer.people = tally.people
  return answer
}

function stepAnswers(
  request: FunnelRequest, tally: FunnelTally, groups: readonly number[], timesOf: (groups: readonly number[], step: number) => BinnedTimes[],
): FunnelStepAnswer[] {
  const counts = reached(request.steps.length, (level) => tally.units(groups, level))
  return request.steps.map(({ name }, step) => ({
    name,
    count: counts[step]!,
    rate: ratio(counts[step]!, counts[0]!),
    rate_from_previous: ratio(counts[step]!, counts[Math.max(step - 1, 0)]!),
    dropped: step === 0 ? 0 : counts[step - 1]! - counts[step]!,
    causes: Object.fromEntries(dropCauses.map((name, number) => [name, tally.units(groups, step, number)])) as FunnelStepAnswer['causes'],
    time: conversionTime(step === 0 ? [] : timesOf(groups, step)),
  }))
}

function trendRows({ steps, window_ms }: FunnelRequest, { completeTo }: QueryContext, { trend, starts }: FunnelTally): NonNullable<FunnelResult['trend']> {
  return Array.from(starts!.subarray(0, -1), (time, bucket) => {
    const counts = reached(steps.length, (level) => trend[bucket * (steps.length + 1) + level]!)
    return {
      time,
      total: counts[0]!,
      steps: steps.map(({ name }, step) => ({ name, count: counts[step]!, rate: ratio(counts[step]!, counts[0]!) })),
      settled: starts![bucket + 1]! + (window_ms ?? WINDOW_MS_DEFAULT) <= completeTo,
    }
  })
}

/** Units that took each step, from the units at each level. */
function reached(steps: number, atLevel: (level: number) => number): number[] {
  const counts = new Array<number>(steps).fill(0)
  for (let level = steps, sum = 0; level >= 1; level--) counts[level - 1] = sum += atLevel(level)
  return counts
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

/** One order for values of any type: none, booleans, numbers, texts. */
export function compareValues(a: Value | null, b: Value | null): number {
  const rank = (value: Value | null): number => (value === null ? 0 : typeof value === 'boolean' ? 1 : typeof value === 'number' ? 2 : 3)
  return rank(a) - rank(b) || (a! < b! ? -1 : a! > b! ? 1 : 0)
}
