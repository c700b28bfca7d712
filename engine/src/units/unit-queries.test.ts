import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Filter } from '@hopper/contracts'
import { naiveDistinct, naiveJourneyPeople, naiveJourneys, naiveRetention } from '../contract/naive-unit-queries.ts'
import { T0, TICK_MS, world } from '../contract/random-world.ts'
import { queryDistinct } from './distinct-scan.ts'
import { queryJourneyPeople } from './journeys/journey-people-scan.ts'
import { queryJourneys } from './journeys/journey-scan.ts'
import { queryRetention } from './retention-scan.ts'

const filters = fc.constantFrom<Filter[]>(
  [{ type: 'eq', key: 'name', value: 'a' }],
  [{ type: 'in', key: 'name', values: ['b', 'c'] }],
  [{ type: 'all', key: 'item' }],
  [{ type: 'eq', key: 'trait.item', value: 'x' }],
  [{ type: 'eq', key: 'user_id', value: 'user-0' }],
  [],
)
const range = fc
  .record({ from: fc.nat({ max: 10 }), ticks: fc.integer({ min: 1, max: 400 }) })
  .map(({ from, ticks }) => ({ from: T0 + from * TICK_MS, to: T0 + (from + ticks) * TICK_MS }))
const context = { timezone: 'Europe/Berlin', completeTo: T0 }
const count_by = fc.constantFrom('person' as const, 'device' as const, 'session' as const)
/** Sorts rows; the order in which the fields of a row were set does not matter. */
const sorted = <T extends object>(rows: readonly T[] | undefined): T[] => {
  const textOf = (row: T): string => JSON.stringify(Object.entries(row).sort())
  return [...(rows ?? [])].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}

describe('distinct counts, retention and journeys', () => {
  it('count the same units as the naive reference', { timeout: 120_000 }, () => {
    const breakdown = fc.constantFrom(undefined, 'item', 'country', 'person')
    const request = fc.record({ range, filters, count_by, breakdown })
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 5, maxLength: 5 }), (generated, requests) => {
        for (const { range, filters, count_by, breakdown } of requests) {
          const query = { ...range, filters, count_by, ...(breakdown ? { breakdown } : {}) }
          const found = queryDistinct(query, generated.lanes)
          const expected = naiveDistinct(generated, query)
          expect({ ...found, breakdown: sorted(found.breakdown) }).toEqual({
            ...expected,
            breakdown: sorted(expected.breakdown),
          })
        }
      }),
      { numRuns: 30 },
    )
  })

  it('assign each unit to the cohort of its first event and count its returns', { timeout: 120_000 }, () => {
    const request = fc.record({
      range,
      first: filters,
      again: filters,
      by: fc.constantFrom('day' as const, 'week' as const),
      count_by,
    })
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 5, maxLength: 5 }), (generated, requests) => {
        for (const { range, ...rest } of requests) {
          const query = { ...range, ...rest }
          expect(queryRetention(query, { timezone: 'Europe/Berlin', completeTo: T0 }, generated.lanes)).toEqual(
            naiveRetention(generated, query, 'Europe/Berlin'),
          )
        }
      }),
      { numRuns: 30 },
    )
  })

  it('follow each unit from place to place', { timeout: 120_000 }, () => {
    const request = fc.record({
      range,
      count_by,
      depth: fc.integer({ min: 2, max: 4 }),
      key: fc.constantFrom(undefined, 'page', 'name', 'trait.item'),
      start: fc.constantFrom(undefined, 'a', '/p1'),
      end: fc.constantFrom(undefined, 'b', 's.example/p2', '/p*'),
      filters,
      grouped: fc.boolean(),
      limit: fc.constantFrom(1, 2, 1_000),
      asked: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
    })
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 5, maxLength: 5 }), (generated, requests) => {
        for (const { range, start, end, key, grouped, limit, asked, ...rest } of requests) {
          const query = {
            ...range,
            ...rest,
            ...(start ? { start } : {}),
            ...(end ? { end } : {}),
            ...(key ? { key } : {}),
            ...(grouped && (key ?? 'page') === 'page' ? { groups: ['/p2', '/p*'] } : {}),
          }
          const expected = naiveJourneys(generated, query)
          if (!expected) {
            expect(() => queryJourneys(query, generated.lanes)).toThrow('which nobody visited')
            continue
          }
          const found = queryJourneys(query, generated.lanes)
          expect({ nodes: sorted(found.nodes), links: sorted(found.links) }).toEqual({
            nodes: sorted(expected.nodes),
            links: sorted(expected.links),
          })
          // exactly as many people as a node or a link says, page by page
          const parts = [
            ...found.nodes.map(({ id, users }) => [{ node: id }, users] as const),
            ...found.links.map(({ users, ...link }) => [{ link }, users] as const),
            ...Array.from({ length: 4 }, (_, step) => [{ node: `${step}/entry` }, undefined] as const),
          ]
          for (const index of asked) {
            const [part, users] = parts[index % parts.length]!
            const all = naiveJourneyPeople(generated, { ...query, ...part, limit })!
            const page = queryJourneyPeople({ ...query, ...part, limit }, context, generated.lanes)
            expect(page.people.map(({ id, entered_at }) => ({ id, entered_at }))).toEqual(all.slice(0, limit))
            expect([page.total, page.more]).toEqual([users ?? all.length, all.length > limit])
            const after = all[0]
            if (!after) continue
            const next = queryJourneyPeople({ ...query, ...part, limit, after }, context, generated.lanes)
            expect(next.people.map(({ id }) => id)).toEqual(all.slice(1, 1 + limit).map(({ id }) => id))
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  it('refuse groups that no page can match, and the people of many places', () => {
    const range = { from: T0, to: T0 + TICK_MS }
    expect(() => queryJourneys({ ...range, groups: ['products'] }, [])).toThrow('groups[0]')
    expect(() => queryJourneys({ ...range, groups: ['/p?a=1'] }, [])).toThrow('groups[0]')
    expect(() => queryJourneys({ ...range, key: 'name', groups: ['/p*'] }, [])).toThrow('leave out `key`')
    const ask = (part: object) => () => queryJourneyPeople({ ...range, ...part, limit: 1 }, context, [])
    expect(ask({ link: { from: '0:a', to: '1/other' } })).toThrow('link.to')
    expect(ask({ node: '0/other' })).toThrow('node')
    expect(ask({})).toThrow('is required')
    expect(ask({ node: '0:a', link: { from: '0:a', to: '1:b' } })).toThrow('together')
  })
})
