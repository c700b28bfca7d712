import {
  dropCauses,
  queryLimits,
  type ConversionTime,
  type Truncatable,
  type FunnelRequest,
  type FunnelResult,
  type FunnelStepAnswer,
  type Value,
} from '@hopper/contracts'
import { conversionTime } from './conversion-time.ts'
import type { FunnelTally, QueryContext } from './funnel-tally.ts'
import { WINDOW_MS_DEFAULT } from './plan/funnel-plan.ts'

/**
 * Builds the answer from a complete tally; `groups` are the breakdown values by group. The entry of `tally.other` is
 * ignored.
 */
export function funnelAnswer(
  request: FunnelRequest,
  context: QueryContext,
  tally: FunnelTally,
  groups: readonly (Value | null)[],
): Truncatable<FunnelResult> {
  const all = groups.map((_, group) => group)
  const steps = stepAnswers(request, tally, all, (step) =>
    conversionTime(tally.times[step]!.blocks(), tally.durations(step)),
  )
  const total = steps[0]!.count
  const answer: FunnelResult = {
    total,
    steps,
    overall: {
      rate: ratio(steps.at(-1)!.count, total),
      time:
        request.steps.length > 1 ? conversionTime(tally.times[0]!.blocks(), tally.durations(0)) : conversionTime([]),
    },
  }
  if (request.breakdown !== undefined) answer.breakdown = breakdownRows(request, tally, groups)
  if (request.trend) answer.trend = trendRows(request, context, tally)
  if (request.people) answer.people = tally.people
  return tally.isTruncated || answer.breakdown?.at(-1)?.other ? { ...answer, truncated: true } : answer
}

/** Returns a row for each of the values with the most units, then one row for all others. */
function breakdownRows(
  request: FunnelRequest,
  tally: FunnelTally,
  groups: readonly (Value | null)[],
): NonNullable<FunnelResult['breakdown']> {
  const width = request.steps.length + 1
  const totals = groups.map((_, group) =>
    tally.levels.slice(group * width + 1, (group + 1) * width).reduce((sum, units) => sum + units, 0),
  )
  const some = groups.map((_, group) => group).filter((group) => totals[group]! > 0)
  const named = some
    .filter((group) => group !== tally.other)
    .sort((a, b) => totals[b]! - totals[a]! || compareValues(groups[a]!, groups[b]!))
  const times = tally.times.map((list, step) => byGroup(list.view(), tally.timeGroups[step]!.view(), groups.length))
  const stepsOf = (members: readonly number[]): FunnelStepAnswer[] =>
    stepAnswers(request, tally, members, (step) => conversionTime(members.map((group) => times[step]![group]!)))
  const rows = named
    .slice(0, queryLimits.breakdownValuesMax)
    .map((group) => ({ value: groups[group]!, total: totals[group]!, steps: stepsOf([group]) }))
  const rest = [...named.slice(queryLimits.breakdownValuesMax), ...some.filter((group) => group === tally.other)]
  if (rest.length === 0) return rows
  return [
    ...rows,
    { value: 'other', other: true, total: rest.reduce((sum, group) => sum + totals[group]!, 0), steps: stepsOf(rest) },
  ]
}

function stepAnswers(
  request: FunnelRequest,
  tally: FunnelTally,
  groups: readonly number[],
  time: (step: number) => ConversionTime,
): FunnelStepAnswer[] {
  const steps = request.steps.length
  const counts = unitsReached(steps, (level) =>
    groups.reduce((sum, group) => sum + (tally.levels[group * (steps + 1) + level] ?? 0), 0),
  )
  return request.steps.map(({ name }, step) => {
    const cause = (number: number): number =>
      groups.reduce((sum, group) => sum + (tally.causes[(group * steps + step) * dropCauses.length + number] ?? 0), 0)
    return {
      name,
      count: counts[step]!,
      rate: ratio(counts[step]!, counts[0]!),
      rate_from_previous: ratio(counts[step]!, counts[Math.max(step - 1, 0)]!),
      dropped: step === 0 ? 0 : counts[step - 1]! - counts[step]!,
      causes: Object.fromEntries(dropCauses.map((name, number) => [name, cause(number)])) as FunnelStepAnswer['causes'],
      time: step === 0 ? conversionTime([]) : time(step),
    }
  })
}

function trendRows(
  { steps, window_ms }: FunnelRequest,
  { completeTo }: QueryContext,
  { trend, starts }: FunnelTally,
): NonNullable<FunnelResult['trend']> {
  return Array.from(starts!.subarray(0, -1), (time, bucket) => {
    const counts = unitsReached(steps.length, (level) => trend[bucket * (steps.length + 1) + level]!)
    return {
      time,
      total: counts[0]!,
      steps: steps.map(({ name }, step) => ({ name, count: counts[step]!, rate: ratio(counts[step]!, counts[0]!) })),
      settled: starts![bucket + 1]! + (window_ms ?? WINDOW_MS_DEFAULT) <= completeTo,
    }
  })
}

/** Splits the times by group. */
function byGroup(values: Float64Array, groups: Float64Array, count: number): Float64Array[] {
  const sizes = new Uint32Array(count)
  for (const group of groups) sizes[group]!++
  const lists = Array.from(sizes, (size) => new Float64Array(size))
  sizes.fill(0)
  for (let i = 0; i < values.length; i++) {
    const group = groups[i]!
    lists[group]![sizes[group]!++] = values[i]!
  }
  return lists
}

/** Computes the units that took each step from the units at each level. */
function unitsReached(steps: number, atLevel: (level: number) => number): number[] {
  const counts = new Array<number>(steps).fill(0)
  for (let level = steps, sum = 0; level >= 1; level--) counts[level - 1] = sum += atLevel(level)
  return counts
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/** Orders values of any type: null, booleans, numbers, texts. */
export function compareValues(a: Value | null, b: Value | null): number {
  const rank = (value: Value | null): number =>
    value === null ? 0 : typeof value === 'boolean' ? 1 : typeof value === 'number' ? 2 : 3
  return rank(a) - rank(b) || (a! < b! ? -1 : a! > b! ? 1 : 0)
}
