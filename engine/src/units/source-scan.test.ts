import { sourceKeys, sourceOrders, type Filter, type SourcePlace, type SourcesRequest } from '@hopper/contracts'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { naiveDistinct } from '../contract/naive-unit-queries.ts'
import { T0, TICK_MS, world, type World } from '../contract/random-world.ts'
import { querySources } from './source-scan.ts'

const filters = fc.constantFrom<Filter[]>(
  [],
  [{ type: 'eq', key: 'name', value: 'a' }],
  [{ type: 'eq', key: 'country', value: 'DE' }],
  [{ type: 'eq', key: 'channel', value: 'search' }],
  [{ type: 'eq', key: 'trait.item', value: 'x' }],
)
const request: fc.Arbitrary<SourcesRequest> = fc
  .record({
    from: fc.nat({ max: 10 }),
    ticks: fc.integer({ min: 1, max: 40 }),
    by: fc.constantFrom(...sourceKeys),
    filters,
    count_by: fc.constantFrom('person' as const, 'device' as const),
    order: fc.constantFrom(...sourceOrders),
    descending: fc.boolean(),
    search: fc.constantFrom(undefined, 'E', 'shop'),
    limit: fc.constantFrom(1, 2, 100),
  })
  .map(({ from, ticks, search, ...rest }) => ({
    ...rest,
    from: T0 + from * TICK_MS,
    to: T0 + (from + ticks) * TICK_MS,
    ...(search === undefined ? {} : { search }),
  }))

/** Counts by the naive reference, one unit at a time. */
function expected(generated: World, { from, to, filters, by, count_by, search = '' }: SourcesRequest): object {
  const users = naiveDistinct(generated, { from, to, filters, breakdown: by, count_by })
  const sessions = naiveDistinct(generated, { from, to, filters, breakdown: by, count_by: 'session' })
  const rows = users.breakdown!.flatMap(({ value, count }) => {
    if (value === null || !String(value).toLowerCase().includes(search.toLowerCase())) return []
    const counted = sessions.breakdown!.find((row) => row.value === value)!
    return [{ value: String(value), users: count, sessions: counted.count, share: count / users.count }]
  })
  return { total_users: users.count, rows: new Set(rows) }
}

it('counts the same users and sessions as the naive reference, page by page in order', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(world, fc.array(request, { minLength: 5, maxLength: 5 }), (generated, requests) => {
      for (const query of requests) {
        const rows = []
        let total = 0
        for (let after: SourcePlace | null | undefined; after !== null;) {
          const page = querySources({ ...query, ...(after ? { after } : {}) }, generated.lanes)
          expect(page.rows.length).toBeLessThanOrEqual(query.limit)
          rows.push(...page.rows)
          total = page.total_users
          after = page.next
        }
        expect({ total_users: total, rows: new Set(rows) }).toEqual(expected(generated, query))
        const column = rows.map((row) => row[query.order])
        const inOrder = column.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
        expect(column).toEqual(query.descending ? inOrder.toReversed() : inOrder)
      }
    }),
    { numRuns: 30 },
  )
})
