import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  bucketBounds,
  durationBucket,
  type Filter,
  type FunnelRequest,
  type Hesitation,
  type HesitationRequest,
  type HesitationResult,
} from '@hopper/contracts'
import { naiveAll } from '../contract/naive-filter.ts'
import { naiveFunnel } from '../contract/naive-funnel.ts'
import { naiveUnits } from '../contract/naive-units.ts'
import { T0, TICK_MS, world, type World } from '../contract/random-world.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { HesitationScan, queryHesitation } from './hesitation-scan.ts'

interface Hover {
  readonly ms: number
  readonly clicked: boolean
}

const named = (value: string): Filter[] => [{ type: 'eq', key: 'name', value }]
const hover: Filter = { type: 'eq', key: 'type', value: 'btn_time' }
/** In some queries nobody is deciding any more, in others those are who began late, since a window has seven days. */
const contextOf = ({ step }: HesitationRequest): QueryContext => ({
  timezone: 'UTC',
  completeTo: T0 + (step === 2 ? 7.1 : 20) * 86_400_000,
})

/** The documented definition, without regard to speed. */
function naive(generated: World, request: HesitationRequest): HesitationResult {
  const { from, to, hovers, filters = [], count_by = 'person', steps, step } = request
  const seen = generated.rows.filter(({ event }) => event.timestamp >= from && event.timestamp < to)
  const units = new Map<string, Hover[]>()
  for (const [unit, rows] of naiveUnits(generated, seen, count_by)) {
    const hoversOfUnit = rows.flatMap((row): Hover[] =>
      row.event.type === 'btn_time' && !row.context.bot && naiveAll(row, [...hovers, ...filters])
        ? [{ ms: row.event.elapsed_time, clicked: row.event.action === 'hover-then-clicked' }]
        : [],
    )
    if (hoversOfUnit.length > 0) units.set(unit, hoversOfUnit)
  }
  const all = summary([...units.values()])
  if (!steps) return all
  const ask = (step: number, outcome: NonNullable<FunnelRequest['people']>['outcome']): readonly string[] =>
    naiveFunnel(
      generated,
      { from, to, steps, filters, count_by, people: { step, outcome, limit: 1_000 } },
      contextOf(request),
    ).people!
  const wanted = step === undefined ? steps.map((_, i) => i + 1).slice(1) : [step]
  const lost = wanted.flatMap((step) => {
    const open = ask(step, 'open')
    return ask(step, 'dropped').filter((name) => !open.includes(name))
  })
  const hoversOf = (names: readonly string[]): Hover[][] => names.flatMap((name) => [units.get(name) ?? []])
  const some = (names: readonly string[]): Hesitation => summary(hoversOf(names).filter((list) => list.length > 0))
  return { ...all, went_on: some(ask(step ?? steps.length, 'reached')), lost: some(lost) }
}

function summary(units: readonly (readonly Hover[])[]): Hesitation {
  const hovers = units.flat()
  const durations = (clicked: boolean): number[] =>
    hovers
      .filter((one) => one.clicked === clicked)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b)
  const [clicks, leaves] = [durations(true), durations(false)]
  const median = (sorted: readonly number[]): number | null =>
    sorted.length === 0 ? null : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
  const seen = hovers.map(({ ms }) => durationBucket(ms))
  const count = (sorted: readonly number[], bucket: number): number =>
    sorted.filter((ms) => durationBucket(ms) === bucket).length
  const histogram = Array.from(
    { length: seen.length === 0 ? 0 : Math.max(...seen) - Math.min(...seen) + 1 },
    (_, i) => Math.min(...seen) + i,
  )
    .map((bucket) => ({ ...bucketBounds(bucket), leave: count(leaves, bucket), click: count(clicks, bucket) }))
    .filter(({ from_ms, to_ms }) => from_ms < to_ms)
  return {
    people: units.length,
    hovers: hovers.length,
    clicked: clicks.length,
    clicked_share: hovers.length === 0 ? null : clicks.length / hovers.length,
    median_click_ms: median(clicks),
    median_leave_ms: median(leaves),
    correlation: correlation(hovers),
    histogram,
  }
}

/** Pearson's correlation of ln(duration) with 1 for a click and 0 for leaving. */
function correlation(hovers: readonly Hover[]): number | null {
  const pairs = hovers.map(({ ms, clicked }) => [Math.log(Math.max(1, ms)), Number(clicked)] as const)
  const mean = (i: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[i], 0) / pairs.length
  const [x, y] = [mean(0), mean(1)]
  const sum = (term: (a: number, b: number) => number): number =>
    pairs.reduce((total, [a, b]) => total + term(a - x, b - y), 0)
  const spread = Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b))
  return pairs.length === 0 || spread < 1e-9 ? null : sum((a, b) => a * b) / spread
}

/** Rounds correlations, which are computed in a different order. */
function rounded(result: HesitationResult): HesitationResult {
  const round = <T extends Hesitation>(one: T): T => ({
    ...one,
    correlation: one.correlation === null ? null : Math.round(one.correlation * 1e6) + 0,
  })
  return {
    ...round(result),
    ...(result.went_on ? { went_on: round(result.went_on) } : {}),
    ...(result.lost ? { lost: round(result.lost) } : {}),
  }
}

const request: fc.Arbitrary<HesitationRequest> = fc
  .record({
    from: fc.nat({ max: 10 }),
    ticks: fc.integer({ min: 1, max: 40 }),
    element: fc.constantFrom(undefined, '//a', '//b'),
    filters: fc.constantFrom<Filter[]>([], [], [{ type: 'ne', key: 'device_id', value: 'device-1' }]),
    count_by: fc.constantFrom('person' as const, 'person' as const, 'device' as const, 'session' as const),
    steps: fc.constantFrom(undefined, ['a', 'b'], ['a', 'c', 'b'], ['b', 'a']),
    step: fc.constantFrom(undefined, 1, 2),
  })
  .map(({ from, ticks, element, filters, count_by, steps, step }) => ({
    from: T0 + from * TICK_MS,
    to: T0 + (from + ticks) * TICK_MS,
    hovers: [hover, ...(element === undefined ? [] : [{ type: 'eq' as const, key: 'target', value: element }])],
    filters,
    count_by,
    ...(steps ? { steps: steps.map((name) => ({ name, filters: named(name) })) } : {}),
    ...(steps && step !== undefined ? { step } : {}),
  }))

it('equals the naive reference on random worlds, for everyone, those who went on and those lost', () => {
  const people = { wentOn: 0, lost: 0 }
  fc.assert(
    fc.property(world, fc.array(request, { minLength: 6, maxLength: 6 }), (generated, requests) => {
      for (const one of requests) {
        const found = queryHesitation(one, contextOf(one), generated.lanes)
        expect(rounded(found)).toEqual(rounded(naive(generated, one)))
        people.wentOn += found.went_on?.people ?? 0
        people.lost += found.lost?.people ?? 0
      }
    }),
    { numRuns: 30 },
  )
  // shows that neither group passes just because it is always empty
  expect(Math.min(people.wentOn, people.lost)).toBeGreaterThan(0)
}, 60_000)

it('refuses a step that the funnel does not have', () => {
  const query = { from: T0, to: T0 + 1, hovers: [hover], steps: [{ name: 'a', filters: named('a') }], step: 2 }
  expect(() => new HesitationScan(query, contextOf(query))).toThrow('step')
})
