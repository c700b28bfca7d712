import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { laneOf, type Filter, type PropertyDefinition } from '@hopper/contracts'
import {
  Chunk,
  unlimitedBudget,
  identityFacts,
  IdentityIndex,
  People,
  propertyFacts,
  PropertyPlan,
  PropertyTotals,
  queryEvents,
  queryFunnel,
  queryJourneyPeople,
  queryJourneys,
  queryPeople,
  queryRetention,
  spansOf,
  traitFacts,
  Traits,
  type LaneInput,
  type PersonValues,
} from '@hopper/engine'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { peopleCursor } from '../answers/cursors/people-cursor.ts'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { ArchiveQueries } from './archive-queries.ts'
import { queryBounds } from './pool/query-pool.ts'
import type { Query } from './query.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const LANES = 3
const T0 = Date.UTC(2026, 2, 28, 9)
const HOUR_MS = 3_600_000
const properties: Record<string, PropertyDefinition> = {
  bought: { event: 'test', key: 'price', operation: 'sum', filters: [{ type: 'eq', key: 'tag', value: 'b' }] },
  latest: { event: 'test', key: 'item', operation: 'latest' },
}
const context = { timezone: 'Europe/Berlin', completeTo: T0 + 20 * HOUR_MS, properties }
const is = (name: string): Filter => ({ type: 'eq', key: 'tag', value: name })

let dir: string
let storage: Storage
/** over three lanes: each query in one thread, and its funnels in two and three */
let pools: ArchiveQueries[]
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hopper-same-'))
  storage = await openEmbedded({ dir, lanes: LANES })
  const split = [2, 3].map((threads) => ({
    ...queryBounds,
    threadsMax: threads,
    threadsPerAppMax: threads,
    splitRowsMin: 0,
  }))
  pools = [queryBounds, ...split].map((bounds) => new ArchiveQueries(storage.archive, 60_000, new Registry(), bounds))
})
afterAll(async () => {
  await Promise.all(pools.map((queries) => queries.onModuleDestroy()))
  await storage.close()
  rmSync(dir, { recursive: true })
})

const sketch = fc.record({
  device: fc.constantFrom('d0', 'd1', 'd2', 'd3', 'd4'),
  hour: fc.nat({ max: 30 }),
  tag: fc.constantFrom('a', 'b', 'c'),
  user: fc.constantFrom('', '', 'u0', 'u1'),
  plan: fc.constantFrom('free', 'pro'),
  item: fc.constantFrom('x', 'y'),
})
const steps = [
  { name: 'a', filters: [is('a')] },
  { name: 'b', filters: [is('b')] },
]
const person = (key: string, value: string): Filter => ({ type: 'eq', key, value })
const range = fc
  .record({ from: fc.nat({ max: 20 }), hours: fc.integer({ min: 1, max: 30 }) })
  .map(({ from, hours }) => ({ from: T0 + from * HOUR_MS, to: T0 + (from + hours) * HOUR_MS }))
const count_by = fc.constantFrom('person' as const, 'device' as const, 'session' as const)
const randomQuery: fc.Arbitrary<Query> = fc.oneof(
  fc
    .record({
      range,
      count_by,
      order: fc.constantFrom('ordered' as const, 'strict' as const, 'any' as const),
      match: fc.constantFrom([], ['item'], ['person']),
      breakdown: fc.constantFrom(
        {},
        { breakdown: 'item' },
        { breakdown: 'trait.plan' },
        { breakdown: 'property.bought' },
      ),
      filters: fc.constantFrom([], [], [person('trait.plan', 'pro')], [person('property.latest', 'x')]),
      trend: fc.constantFrom({}, { trend: 'day' as const }),
      people: fc.boolean(),
    })
    .map(({ range: at, breakdown, trend, people, ...rest }): Query => ({
      kind: 'funnel',
      request: {
        ...at,
        steps,
        window_ms: 6 * HOUR_MS,
        ...rest,
        ...breakdown,
        ...trend,
        ...(people ? { people: { step: 1, outcome: 'reached' as const, limit: 100 } } : {}),
      },
    })),
  fc
    .record({
      range,
      count_by,
      outcome: fc.constantFrom('reached' as const, 'dropped' as const, 'never' as const),
      value: fc.constantFrom({}, {}, { breakdown: 'item', value: 'x' }, { breakdown: 'trait.plan', value: 'pro' }),
      filters: fc.constantFrom([], [], [person('trait.plan', 'pro')], [person('property.latest', 'x')]),
      limit: fc.constantFrom(1, 2, 100),
    })
    .map(({ range: at, value, ...rest }): Query => ({
      kind: 'people',
      request: { ...at, steps, window_ms: 6 * HOUR_MS, step: 2, lanes: LANES, ...rest, ...value },
    })),
  fc.record({ range, count_by }).map(({ range: at, count_by: by }): Query => ({
    kind: 'journeys',
    request: { ...at, key: 'tag', count_by: by },
  })),
  fc
    .record({ range, count_by, node: fc.constantFrom('0:a', '1:b', '1/exit'), limit: fc.constantFrom(1, 100) })
    .map(({ range: at, ...rest }): Query => ({
      kind: 'journey_people',
      request: { ...at, key: 'tag', lanes: LANES, ...rest },
    })),
  fc.record({ range, count_by }).map(({ range: at, count_by: by }): Query => ({
    kind: 'retention',
    request: { ...at, first: [is('a')], again: [is('b')], by: 'day', count_by: by },
  })),
  range.map(({ from, to }): Query => ({
    kind: 'events',
    request: {
      start: from,
      end: to,
      data: [
        { name: 'a', filters: [is('a')], unique: ['item'], events: 5 },
        { name: 'b', filters: [is('b')] },
      ],
      funnel: { type: 'exact_order', order: ['a', 'b'], match: ['item'] },
    },
  })),
  fc.record({ range, match: fc.constantFrom('user_id', 'person') }).map(({ range: { from, to }, match }): Query => ({
    kind: 'events',
    request: {
      start: from,
      end: to,
      data: [
        {
          name: 'a',
          filters: [is('a')],
          unique: ['person', 'user_id', 'property.bought'],
          keys: ['trait.plan'],
          events: 5,
        },
        { name: 'b', filters: [{ type: 'not', filter: person('trait.plan', 'pro') }], unique: ['person'] },
      ],
      funnel: { type: 'exact_order', order: ['a', 'b'], match: [match] },
    },
  })),
)

function peopleOf(chunks: readonly Chunk[]): People {
  const index = new IdentityIndex()
  index.add(chunks.map(identityFacts))
  const traits = new Traits()
  for (const chunk of chunks) traits.add(traitFacts(chunk))
  const values = Object.entries(properties).map(([name, definition]) => {
    const totals = new PropertyTotals(definition.operation, index.identities())
    for (const chunk of chunks) totals.add(propertyFacts(new PropertyPlan(definition), chunk, unlimitedBudget))
    return [`property.${name}`, totals] as const
  })
  return new People(
    index.identities(),
    new Map<string, PersonValues>([['trait.plan', traits.valuesOf('plan')], ...values]),
  )
}

/** Computes the answer with the engine itself, which has every column of every chunk. */
function directly(query: Query, stored: readonly Chunk[]): unknown {
  const people = peopleOf(stored)
  const chunks = stored.map((chunk) => chunk.withPeople(people))
  if (query.kind === 'events') return queryEvents(query.request, chunks)
  const { identities } = people
  const lanes = [...Map.groupBy(chunks, ({ summary }) => summary.lane)].map(([lane, group]): LaneInput => ({
    lane,
    spans: spansOf(group),
    identities,
  }))
  if (query.kind === 'funnel') return queryFunnel(query.request, context, lanes)
  if (query.kind === 'people' || query.kind === 'journey_people') {
    const { more, ...page } =
      query.kind === 'people'
        ? queryPeople(query.request, context, lanes)
        : queryJourneyPeople(query.request, context, lanes)
    return more ? { ...page, next: peopleCursor(page.people.at(-1)!) } : page
  }
  if (query.kind === 'journeys') return queryJourneys(query.request, lanes)
  if (query.kind === 'retention') return queryRetention(query.request, context, lanes)
  throw new TypeError(query.kind)
}

/** Sorts people of a funnel's answer, whose order depends on the order in which lanes are read. */
function sorted(result: unknown): unknown {
  const { people, ...rest } = result as { people?: (string | object)[] }
  return people?.every((one) => typeof one === 'string') ? { ...rest, people: [...people].sort() } : result
}

it(
  'threads that fetch only the needed columns answer like the engine with all columns',
  { timeout: 180_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sketch, { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 3, max: 20 }),
        fc.array(randomQuery, { minLength: 4, maxLength: 4 }),
        async (drafts, perSpan, query) => {
          const app = randomUUID()
          for (const [lane, group] of Map.groupBy(drafts, ({ device }) => laneOf(app, device, LANES))) {
            const users = new Map<string, string>()
            const sketches = group.map(({ device, hour, tag, user, item, plan }): Sketch => {
              if (user !== '') users.set(device, user)
              const at = { device, time: T0 + hour * HOUR_MS, user: users.get(device) ?? '' }
              if (user !== '' && tag === 'c') return { ...at, identify: true, data: { plan } }
              return { ...at, data: { tag, item, price: hour } }
            })
            for (let start = 0; start < sketches.length; start += perSpan)
              await archiveSketches(storage, app, lane, '2026-03-28', start, sketches.slice(start, start + perSpan))
          }
          const listed = await storage.archive!.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })
          const chunks = await Promise.all(
            listed.map(async (summary) =>
              Chunk.of({ summary, columns: await storage.archive!.columns(summary, Object.keys(summary.columns)) }),
            ),
          )
          for (const each of query) {
            const expected = sorted(directly(each, chunks))
            for (const queries of pools) {
              const { result } = await queries.ask(app, each, context, { signal: new AbortController().signal })
              expect(sorted(result)).toEqual(expected)
            }
          }
        },
      ),
      { numRuns: repetitions(40) },
    )
  },
)
