import { SAMPLE_MIN, dropCauses, type DropCause, type FunnelResult } from '@hopper/contracts'

/** A funnel over one period or several, added up. */
export interface FunnelCounts {
  readonly total: number
  readonly steps: readonly {
    readonly name: string
    readonly count: number
    readonly causes: Readonly<Record<DropCause, number>>
  }[]
}

export interface StageFall {
  /** the stage that fewer reach, counted from 1 */
  readonly stage: number
  readonly name: string
  readonly rate_now: number
  readonly rate_before: number
  /** causes whose share has grown, of those who reached the stage before; the largest growth first */
  readonly causes: readonly { readonly cause: DropCause; readonly now: number; readonly before: number }[]
}

export interface SegmentFall {
  readonly key: string
  readonly value: string
  readonly rate_now: number
  readonly rate_before: number
  readonly starts: number
  /** share of the whole difference that this value's change of rate explains; above 1 where others have risen */
  readonly share: number
}

/** Adds up the answers of several periods; undefined without any. */
export function addUp(answers: readonly Pick<FunnelResult, 'total' | 'steps'>[]): FunnelCounts | undefined {
  const [first, ...others] = answers
  return first && others.reduce<FunnelCounts>((sum, each) => addTwo(sum, each), first)
}

function addTwo(a: FunnelCounts, b: FunnelCounts): FunnelCounts {
  const steps = a.steps.map(({ name, count, causes }, i) => {
    const other = b.steps[i]!
    const added = dropCauses.map((cause) => [cause, causes[cause] + other.causes[cause]] as const)
    return { name, count: count + other.count, causes: Object.fromEntries(added) as Record<DropCause, number> }
  })
  return { total: a.total + b.total, steps }
}

/**
 * Finds the stage whose rate from the stage before has fallen most, by its logarithm: the logarithms of these rates add
 * up to that of the whole rate, so each is the stage's part of the fall. Half a person is added to both counts of a
 * rate, so that the logarithm exists even for a stage that nobody reaches.
 */
export function fallenStage(now: FunnelCounts, before: FunnelCounts): StageFall | undefined {
  const part = ({ steps }: FunnelCounts, i: number): number =>
    Math.log((steps[i]!.count + 0.5) / (steps[i - 1]!.count + 1))
  let [worst, worstChange] = [0, 0]
  for (let i = 1; i < now.steps.length; i++) {
    const change = part(now, i) - part(before, i)
    if (change < worstChange) [worst, worstChange] = [i, change]
  }
  if (worst === 0) return undefined
  const [reached, reachedBefore] = [now.steps[worst - 1]!.count, before.steps[worst - 1]!.count]
  const { name, causes, count } = now.steps[worst]!
  const earlier = before.steps[worst]!
  const grown = dropCauses
    .map((cause) => ({
      cause,
      now: shareOf(causes[cause], reached),
      before: shareOf(earlier.causes[cause], reachedBefore),
    }))
    .filter((each) => each.now > each.before)
    .sort((a, b) => b.now - b.before - (a.now - a.before))
  return {
    stage: worst + 1,
    name,
    rate_now: shareOf(count, reached),
    rate_before: shareOf(earlier.count, reachedBefore),
    causes: grown,
  }
}

type Breakdown = NonNullable<FunnelResult['breakdown']>

/** Adds up the rows of several periods by their value, without those that are folded together. */
function byValue(breakdowns: readonly Breakdown[]): Map<string, { total: number; hits: number }> {
  const sums = new Map<string, { total: number; hits: number }>()
  for (const { value, total, steps, other } of breakdowns.flat()) {
    if (other === true || value === null) continue
    const sum = sums.get(String(value)) ?? { total: 0, hits: 0 }
    sums.set(String(value), { total: sum.total + total, hits: sum.hits + (steps.at(-1)?.count ?? 0) })
  }
  return sums
}

/** Nearly everybody has such a value, so that it explains nothing. */
const COMMON_SHARE = 0.95

/**
 * Finds the value of a key whose changed rate makes the largest part of the fall: its share of the starts, times the
 * change of its rate. Makes no claim about a value with fewer than 30 starts in one of the two.
 */
export function fallenSegment(
  key: string,
  now: readonly Breakdown[],
  before: readonly Breakdown[],
  whole: { readonly starts: number; readonly difference: number },
): SegmentFall | undefined {
  const earlier = byValue(before)
  const falls = [...byValue(now)].flatMap(([value, { total, hits }]): SegmentFall[] => {
    const then = earlier.get(value)
    if (!then || total < SAMPLE_MIN || then.total < SAMPLE_MIN || total > COMMON_SHARE * whole.starts) return []
    const [rateNow, rateBefore] = [hits / total, then.hits / then.total]
    const share = ((total / whole.starts) * (rateNow - rateBefore)) / whole.difference
    return [{ key, value, rate_now: rateNow, rate_before: rateBefore, starts: total, share }]
  })
  return falls.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share)[0]
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
