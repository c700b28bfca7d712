import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ElementHovers, ElementsRequest, Filter, Hesitation } from '@hopper/contracts'
import { naiveAll } from '../contract/naive-filter.ts'
import { naiveUnits } from '../contract/naive-units.ts'
import { T0, TICK_MS, world } from '../contract/random-world.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { bucketStarts } from '../funnel/trend-buckets.ts'
import { queryElements } from './elements-scan.ts'
import { queryHesitation } from './hesitation-scan.ts'

const context: QueryContext = { timezone: 'Europe/Berlin', completeTo: T0 + 7.1 * 86_400_000 }
const action: Filter = { type: 'eq', key: 'type', value: 'btn_time' }
const byFinger: Filter = { type: 'eq', key: 'session_id', value: 's-4' }
const hovers: Filter[] = [action, { type: 'not', filter: byFinger }]
const taps: Filter[] = [action, byFinger]
const named = (value: string): { name: string; filters: Filter[] } => ({
  name: value,
  filters: [{ type: 'eq', key: 'name', value }],
})

const request: fc.Arbitrary<ElementsRequest> = fc
  .record({
    from: fc.nat({ max: 4 }),
    ticks: fc.integer({ min: 1, max: 30 }),
    filters: fc.constantFrom<Filter[]>([], [], [{ type: 'ne', key: 'device_id', value: 'device-1' }]),
    count_by: fc.constantFrom('person' as const, 'person' as const, 'device' as const, 'session' as const),
    steps: fc.constantFrom(undefined, [named('a'), named('b')], [named('a')]),
    trend: fc.constantFrom(undefined, 'day' as const, 'week' as const),
  })
  .map(({ from, ticks, steps, trend, ...rest }) => ({
    ...rest,
    hovers,
    taps,
    from: T0 + from * TICK_MS,
    to: T0 + (from + ticks) * TICK_MS,
    ...(steps ? { steps } : {}),
    ...(trend ? { trend } : {}),
  }))

function summaryOf({ correlation: _, histogram: __, ...summary }: Hesitation): ElementHovers {
  return summary
}

it('gives each element the answer of a query about this element alone', () => {
  let [elements, sides, tapped] = [0, 0, 0]
  fc.assert(
    fc.property(world, fc.array(request, { minLength: 6, maxLength: 6 }), (generated, requests) => {
      for (const query of requests) {
        const { rows, times } = queryElements(query, context, generated.lanes)
        const { from, to, filters = [], count_by = 'person', trend, taps: _, ...common } = query
        const seen = generated.rows.filter(({ event }) => event.timestamp >= from && event.timestamp < to)
        const units = [...naiveUnits(generated, seen, count_by).values()]
        const expected = ['//a', '//b'].map((xpath) => {
          const target: Filter = { type: 'eq', key: 'target', value: xpath }
          const only = { ...common, from, to, filters, count_by, hovers: [...hovers, target] }
          const { went_on: wentOn, lost, ...all } = queryHesitation(only, context, generated.lanes)
          const isTap = (row: (typeof seen)[number]): boolean =>
            naiveAll(row, [...taps, target, ...filters, { type: 'eq', key: 'action', value: 'hover-then-clicked' }]) &&
            !row.context.bot
          const byUnit = units.map((actions) => actions.filter(isTap).length).filter((count) => count > 0)
          return {
            xpath,
            ...summaryOf(all),
            taps: byUnit.reduce((sum, count) => sum + count, 0),
            tapped_by: byUnit.length,
            ...(wentOn && lost ? { went_on: summaryOf(wentOn), lost: summaryOf(lost) } : {}),
          }
        })
        const found = expected.filter((row) => row.hovers + row.taps > 0)
        found.sort((a, b) => b.hovers + b.taps - a.hovers - a.taps || (a.xpath < b.xpath ? -1 : 1))
        expect(rows.map(({ trend: _own, ...row }) => row)).toEqual(found)
        const starts = trend && [...bucketStarts(from, to, trend, context.timezone)].slice(0, -1)
        expect(times).toEqual(starts)
        for (const { trend: counted, hovers: all, clicked } of rows) {
          expect(counted === undefined).toBe(trend === undefined)
          if (!counted) continue
          const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
          expect([counted.hovers.length, sum(counted.hovers), sum(counted.clicked)]).toEqual([
            starts!.length,
            all,
            clicked,
          ])
        }
        elements += rows.length
        sides += rows.filter((row) => (row.went_on?.hovers ?? 0) + (row.lost?.hovers ?? 0) > 0).length
        tapped += rows.filter((row) => row.taps > 0).length
      }
    }),
    { numRuns: 40 },
  )
  // shows that none of them passes just because it is always empty
  expect(Math.min(elements, sides, tapped)).toBeGreaterThan(0)
}, 60_000)

it('counts actions under a past XPath for the current one, as if events had always named it', () => {
  let joined = 0
  fc.assert(
    fc.property(world, request, (generated, query) => {
      const linked = queryElements({ ...query, linked: [['//a', '//b']] }, context, generated.lanes)
      const { rows: apart } = queryElements(query, context, generated.lanes)
      const { from, to, filters = [], count_by = 'person', taps: _, trend: __, ...common } = query
      const target: Filter = { type: 'in', key: 'target', values: ['//a', '//b'] }
      const either = { ...common, from, to, filters, count_by, hovers: [...hovers, target] }
      const { went_on: wentOn, lost, ...all } = queryHesitation(either, context, generated.lanes)
      expect(linked.rows.map(({ xpath }) => xpath)).toEqual(apart.length === 0 ? [] : ['//b'])
      for (const { trend: _own, taps, tapped_by: tappedBy, ...row } of linked.rows) {
        expect(row).toEqual({
          xpath: '//b',
          ...summaryOf(all),
          ...(wentOn && lost ? { went_on: summaryOf(wentOn), lost: summaryOf(lost) } : {}),
        })
        expect(taps).toBe(apart.reduce((sum, each) => sum + each.taps, 0))
        expect(tappedBy).toBeGreaterThanOrEqual(Math.max(...apart.map((each) => each.tapped_by)))
      }
      if (apart.length > 1) joined++
    }),
    { numRuns: 40 },
  )
  expect(joined).toBeGreaterThan(0)
}, 60_000)
