import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dropCauses, type Filter, type FunnelRequest } from '@hopper/contracts'
import { naiveFunnel } from '../contract/naive-funnel.ts'
import { T0, TICK_MS, world, type World } from '../contract/random-world.ts'
import { Chunk } from '../chunk/chunk.ts'
import type { LaneInput } from './unit-scan.ts'
import { FunnelScan, mergeFunnelPartials, queryFunnel } from './funnel-scan.ts'

const leaf: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'a', 'b', 'c', 'd').map((value): Filter => ({ type: 'eq', key: 'name', value })) },
  fc.constantFrom<Filter>(
    { type: 'ne', key: 'name', value: 'a' },
    { type: 'in', key: 'item', values: ['x', 1, true] },
    { type: 'all', key: 'item' },
    { type: 'eq', key: 'item', value: '1' },
    { type: 'contains', key: 'to', value: 'p1' },
    { type: 'regex', key: 'name', value: '[ab]' },
    { type: 'gt', key: 'plan', value: 0 },
    { type: 'lt', key: 'timestamp', value: T0 + 12 * TICK_MS },
    { type: 'eq', key: 'country', value: 'DE' },
    { type: 'eq', key: 'user_id', value: 'user-1' },
    { type: 'not', filter: { type: 'eq', key: 'device_id', value: 'device-1' } },
    { type: 'or', filters: [{ type: 'eq', key: 'name', value: 'b' }, { type: 'eq', key: 'type', value: 'url_change' }] },
  ),
)
const filters = fc.array(leaf, { minLength: 1, maxLength: 2 })
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })

const request: fc.Arbitrary<FunnelRequest> = fc
  .record({
    names: fc.array(fc.oneof({ weight: 3, arbitrary: filters.map((f) => f.slice(0, 1)) }, filters), { minLength: 1, maxLength: 4 }),
    plain: fc.boolean(),
    fromTick: fc.nat({ max: 10 }),
    ticks: fc.integer({ min: 1, max: 30 }),
    window: fc.integer({ min: 1, max: 15 }),
    order: fc.constantFrom('ordered' as const, 'ordered' as const, 'strict' as const, 'any' as const),
    match: maybe(fc.constantFrom(['item'], ['item', 'plan'], ['user_id'])),
    exclude: maybe(fc.record({ filters, after: fc.nat(), before: fc.nat() })),
    filters: maybe(filters),
    breakdown: maybe(fc.constantFrom('item', 'country', 'device_id', 'plan', 'utm_source')),
    unit: fc.constantFrom('person' as const, 'person' as const, 'device' as const, 'session' as const),
    trend: maybe(fc.constantFrom('day' as const, 'week' as const)),
    people: fc.record({ step: fc.nat(), outcome: fc.constantFrom('reached' as const, 'dropped' as const, ...dropCauses) }),
  })
  .map((r): FunnelRequest => {
    const count = r.names.length
    const after = count > 1 ? 1 + (r.exclude?.after ?? 0) % (count - 1) : 0
    return {
      from: T0 + r.fromTick * TICK_MS,
      to: T0 + (r.fromTick + r.ticks) * TICK_MS,
      window_ms: r.window * TICK_MS,
      steps: r.names.map((f, i) => ({ name: `step ${i + 1}`, filters: f })),
      count_by: r.unit,
      people: { step: 1 + (r.people.step % count), outcome: r.people.outcome, limit: 1_000 },
      ...(r.trend ? { trend: r.trend } : {}),
      ...(r.breakdown ? { breakdown: r.breakdown } : {}),
      ...(r.plain
        ? {}
        : {
            order: r.order,
            ...(r.match ? { match: r.match } : {}),
            ...(r.filters ? { filters: r.filters } : {}),
            ...(r.exclude && count > 1 ? { exclude: [{ filters: r.exclude.filters, after, before: after + 1 + (r.exclude.before % (count - after)) }] } : {}),
          }),
    }
  })

const context = { timezone: 'Europe/Berlin', completeTo: T0 + 20 * TICK_MS }
const byName = (people: readonly string[] | undefined): readonly string[] => [...(people ?? [])].sort()

function check(at: World, query: FunnelRequest, lanes: readonly LaneInput[]): void {
  const expected = naiveFunnel(at, query, context)
  const found = queryFunnel(query, context, lanes)
  expect({ ...found, people: byName(found.people) }).toEqual({ ...expected, people: byName(expected.people) })
  for (const step of found.steps) expect(Object.values(step.causes).reduce((a, b) => a + b)).toBe(step.dropped)
  const { step, outcome } = query.people!
  const bar = found.steps[step - 1]!
  if (outcome === 'reached') expect(found.people).toHaveLength(bar.count)
  else if (outcome === 'dropped') expect(found.people).toHaveLength(bar.dropped)
  else expect(found.people).toHaveLength(bar.causes[outcome])
}

/** The same lanes with chunks that give nothing but the columns that the plan names. */
function limited(at: World, query: FunnelRequest): LaneInput[] {
  const { plan } = new FunnelScan(query, context)
  const only = (chunk: Chunk): Chunk => {
    const { always, tied } = plan.columns(chunk.summary)
    const names = new Set([...always, ...tied])
    return new Chunk(chunk.summary, (column) => (names.has(column) ? chunk.cell(column) : undefined))
  }
  return at.lanes.map((lane) => ({ ...lane, spans: lane.spans.map((span) => span.map(only)) }))
}

describe('the funnel kernel', () => {
  it('equals the naive reference on random worlds and queries, causes add up, people lists have the length of the bar', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 12, maxLength: 12 }), (at, queries) => {
        check(at, queries[0]!, limited(at, queries[0]!))
        for (const query of queries.slice(1)) check(at, query, at.lanes)
      }),
      { numRuns: 200 },
    )
  })

  it('answers the same when each lane is scanned by itself and the partial results are merged in any order', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 5, maxLength: 5 }), (at, queries) => {
        for (const query of queries) {
          const partials = at.lanes.map((lane) => {
            const scan = new FunnelScan(query, context)
            scan.scanLane(lane)
            return structuredClone(scan.partial())
          })
          const merged = mergeFunnelPartials(query, context, partials.reverse())
          const whole = queryFunnel(query, context, at.lanes)
          expect({ ...merged, people: byName(merged.people) }).toEqual({ ...whole, people: byName(whole.people) })
        }
      }),
      { numRuns: 40 },
    )
  })
})
