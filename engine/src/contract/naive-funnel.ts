import {
  dropCauses,
  shiftDate,
  timeZone,
  type DropCause,
  type Filter,
  type FunnelRequest,
  type FunnelResult,
  type FunnelStepAnswer,
  type StepOutcome,
  type Value,
} from '@hopper/contracts'
import { bucketBounds, durationBucket, type ConversionTime } from '@hopper/contracts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { naiveAll, naiveValue } from './naive-filter.ts'
import { naiveUnits, type Row } from './naive-units.ts'
import type { World } from './random-world.ts'

interface Attempt {
  readonly taken: Row[]
  /** the numbers of the steps taken */
  readonly numbers: number[]
  readonly endedBy?: Row
}

/** How far a unit went, and why no further. */
export interface NaiveOutcome extends Attempt {
  readonly unit: string
  readonly cause: DropCause | undefined
}

const WINDOW_MS = 7 * 86_400_000

/** Naive reference of a funnel query: the documented definition, without regard to speed. */
export function naiveFunnel(world: World, request: FunnelRequest, context: QueryContext): FunnelResult {
  return answer(naiveOutcomes(world, request, context), request, context, request.window_ms ?? WINDOW_MS)
}

/** Returns the furthest attempt of each unit that took the first step. */
export function naiveOutcomes(world: World, request: FunnelRequest, context: QueryContext): NaiveOutcome[] {
  const window = request.window_ms ?? WINDOW_MS
  const seen = world.rows.filter(
    (row) => row.event.timestamp >= request.from && row.event.timestamp < request.to + window,
  )
  const results: NaiveOutcome[] = []
  for (const [unit, all] of naiveUnits(world, seen, request.count_by ?? 'person')) {
    const events = all.filter((row) => !row.context.bot && naiveAll(row, request.filters ?? []))
    const attempts = events.flatMap((row, i) =>
      row.event.timestamp < request.to ? (attemptFrom(events, i, request, window) ?? []) : [],
    )
    const furthest = Math.max(0, ...attempts.map((attempt) => attempt.taken.length))
    const best = attempts.find((attempt) => attempt.taken.length === furthest)
    if (best) results.push({ ...best, unit, cause: causeOf(best, events, request, window, context.completeTo) })
  }
  return results
}

/** Returns whether a unit with this outcome is one of those asked for. */
export function naiveIsSelected({ taken, cause }: NaiveOutcome, step: number, outcome: StepOutcome): boolean {
  if (outcome === 'reached') return taken.length >= step
  return taken.length === step - 1 && (outcome === 'dropped' || cause === outcome)
}

const matches = (row: Row, filters: readonly Filter[]): boolean => naiveAll(row, filters)

function sameValues(row: Row, first: Row, match: readonly string[]): boolean {
  return match.every((key) => naiveValue(row, key) !== undefined && naiveValue(row, key) === naiveValue(first, key))
}

/** Returns the step (from 1) that an event would take next, if any. */
function stepFor(row: Row, numbers: readonly number[], request: FunnelRequest): number | undefined {
  if (request.order === 'any') {
    const step = request.steps.findIndex(({ filters }, i) => !numbers.includes(i + 1) && matches(row, filters))
    return step < 0 ? undefined : step + 1
  }
  const next = request.steps[numbers.length]
  return next && matches(row, next.filters) ? numbers.length + 1 : undefined
}

function attemptFrom(events: readonly Row[], i: number, request: FunnelRequest, window: number): Attempt | undefined {
  const first = events[i]!
  const firstStep = stepFor(first, [], request)
  if (firstStep === undefined) return undefined
  const taken = [first]
  const numbers = [firstStep]
  for (const row of events.slice(i + 1)) {
    if (taken.length === request.steps.length || row.event.timestamp - first.event.timestamp > window) break
    const same = sameValues(row, first, request.match ?? [])
    const step = same ? stepFor(row, numbers, request) : undefined
    if (step !== undefined) {
      taken.push(row)
      numbers.push(step)
      continue
    }
    const excluded = (request.exclude ?? []).some(({ filters, after, before }) => {
      const active =
        request.order === 'any'
          ? numbers.includes(after) && !numbers.includes(before)
          : after <= numbers.length && numbers.length < before
      return active && same && matches(row, filters)
    })
    if (excluded || request.order === 'strict') return { taken, numbers, endedBy: row }
  }
  return { taken, numbers }
}

function causeOf(
  { taken, numbers, endedBy }: Attempt,
  events: readonly Row[],
  request: FunnelRequest,
  window: number,
  completeTo: number,
): DropCause | undefined {
  if (taken.length === request.steps.length) return undefined
  const first = taken[0]!
  const right = (row: Row): boolean => stepFor(row, numbers, request) !== undefined
  const same = (row: Row): boolean => sameValues(row, first, request.match ?? [])
  if (endedBy) return request.order === 'strict' && right(endedBy) ? 'mismatch' : 'excluded'
  const end = first.event.timestamp + window
  if (end >= completeTo) return 'open'
  const last = events.indexOf(taken.at(-1)!)
  const later = events.slice(last + 1)
  if (later.some((row) => right(row) && same(row) && row.event.timestamp > end)) return 'late'
  if (later.some((row) => right(row) && !same(row) && row.event.timestamp <= end)) return 'mismatch'
  if (events.slice(0, last).some((row) => right(row) && same(row))) return 'before'
  return 'never'
}

function answer(
  results: readonly NaiveOutcome[],
  request: FunnelRequest,
  context: QueryContext,
  window: number,
): FunnelResult {
  const steps = stepsOf(results, request)
  const whole = results.filter((r) => request.steps.length > 1 && r.taken.length === request.steps.length)
  const out: FunnelResult = {
    total: results.length,
    steps,
    overall: {
      rate: ratio(steps.at(-1)!.count, results.length),
      time: times(whole.map((r) => timeOf(r, request.steps.length - 1) - timeOf(r, 0))),
    },
  }
  if (request.breakdown !== undefined) {
    const values = [...new Set(results.map((r) => naiveValue(r.taken[0]!, request.breakdown!)))]
    out.breakdown = values.map((value) => {
      const selected = results.filter((r) => naiveValue(r.taken[0]!, request.breakdown!) === value)
      return { value: value ?? null, total: selected.length, steps: stepsOf(selected, request) }
    })
    out.breakdown.sort((a, b) => b.total - a.total || order(a.value).localeCompare(order(b.value)))
  }
  if (request.trend) out.trend = trendOf(results, request, context, window)
  if (request.people) {
    const { step, outcome } = request.people
    out.people = results.filter((r) => naiveIsSelected(r, step, outcome)).map((r) => r.unit)
  }
  return out
}

const order = (value: Value | null): string =>
  value === null
    ? '0'
    : typeof value === 'boolean'
      ? `1${value}`
      : typeof value === 'number'
        ? `2${String(value).padStart(20, '0')}`
        : `3${value}`
const timeOf = (result: NaiveOutcome, step: number): number => result.taken[step]!.event.timestamp
const ratio = (part: number, all: number): number | null => (all === 0 ? null : part / all)

function stepsOf(results: readonly NaiveOutcome[], request: FunnelRequest): FunnelStepAnswer[] {
  return request.steps.map(({ name }, step) => {
    const reached = results.filter((r) => r.taken.length > step)
    const before = results.filter((r) => r.taken.length > Math.max(step - 1, 0))
    const dropped = before.filter((r) => !reached.includes(r))
    const causes = Object.fromEntries(
      dropCauses.map((cause) => [cause, dropped.filter((r) => r.cause === cause).length]),
    )
    return {
      name,
      count: reached.length,
      rate: ratio(reached.length, results.length),
      rate_from_previous: ratio(reached.length, before.length),
      dropped: dropped.length,
      causes: causes as FunnelStepAnswer['causes'],
      time: times(step === 0 ? [] : reached.map((r) => timeOf(r, step) - timeOf(r, step - 1))),
    }
  })
}

function times(values: readonly number[]): ConversionTime {
  const sorted = [...values].sort((a, b) => a - b)
  const n = sorted.length
  if (n === 0) return { median_ms: null, average_ms: null, p90_ms: null, histogram: [] }
  const buckets = [...new Set(sorted.map(durationBucket))]
  return {
    median_ms: n % 2 === 1 ? sorted[(n - 1) / 2]! : (sorted[n / 2 - 1]! + sorted[n / 2]!) / 2,
    average_ms: sorted.reduce((a, b) => a + b, 0) / n,
    p90_ms: sorted[Math.ceil(n * 0.9) - 1]!,
    histogram: buckets.map((bucket) => ({
      ...bucketBounds(bucket),
      count: sorted.filter((v) => durationBucket(v) === bucket).length,
    })),
  }
}

function trendOf(
  results: readonly NaiveOutcome[],
  request: FunnelRequest,
  { timezone, completeTo }: QueryContext,
  window: number,
): NonNullable<FunnelResult['trend']> {
  const zone = timeZone(timezone)
  const bucketOf = (time: number): string => {
    const date = zone.dateOf(time)
    return request.trend === 'day' ? date : shiftDate(date, -((new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7))
  }
  const rows: NonNullable<FunnelResult['trend']> = []
  for (let date = bucketOf(request.from); zone.startOf(date) < request.to;) {
    const next = shiftDate(date, request.trend === 'day' ? 1 : 7)
    const selected = results.filter((r) => bucketOf(timeOf(r, 0)) === date)
    const counts = request.steps.map((_, step) => selected.filter((r) => r.taken.length > step).length)
    rows.push({
      time: zone.startOf(date),
      total: selected.length,
      settled: zone.startOf(next) + window <= completeTo,
      steps: request.steps.map(({ name }, step) => ({
        name,
        count: counts[step]!,
        rate: ratio(counts[step]!, selected.length),
      })),
    })
    date = next
  }
  return rows
}
