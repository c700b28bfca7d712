import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Filter, Value } from '@hopper/contracts'
import { naiveHolds } from '../contract/naive-filter.ts'
import { compareTimes } from '../contract/naive-people.ts'
import { T0, TICK_MS, world, type World } from '../contract/random-world.ts'
import type { PersonsRequest } from './persons-plan.ts'
import { PersonsScan } from './persons-scan.ts'

type Row = World['rows'][number]

interface Listed {
  readonly id: string
  readonly devices: number
  readonly first_seen: number
  readonly last_seen: number
  readonly events: number
}

const filters = fc.constantFrom<Filter[]>(
  [],
  [],
  [{ type: 'eq', key: 'trait.item', value: 'x' }],
  [{ type: 'ne', key: 'user_id', value: 'user-1' }],
  [
    { type: 'gt', key: 'property.items', value: 1 },
    { type: 'all', key: 'user_id' },
  ],
  [
    {
      type: 'or',
      filters: [
        { type: 'contains', key: 'person', value: 'd:' },
        { type: 'all', key: 'trait.k1' },
      ],
    },
  ],
)
const request = fc.record({
  from: fc.nat({ max: 10 }),
  ticks: fc.integer({ min: 1, max: 30 }),
  search: fc.constantFrom(undefined, undefined, 'ER-1', 'device-2', 'X', 'nothing'),
  filters,
  order: fc.constantFrom('last_seen', 'first_seen', 'events', 'trait.item', 'property.items', 'property.difference'),
  descending: fc.boolean(),
  limit: fc.integer({ min: 1, max: 4 }),
})

/** The list of all persons, without pages: the documented definition, without regard to speed. */
function naivePersons(generated: World, query: Omit<PersonsRequest, 'limit'>): Listed[] {
  const rows = generated.rows.filter(
    ({ event, context }) => event.timestamp >= query.from && event.timestamp < query.to && !context.bot,
  )
  const persons = [...Map.groupBy(rows, ({ person }) => person.name).values()]
    .filter((own) => query.filters.every((filter) => naiveHolds(ofPerson(own[0]!), filter)) && found(own, query.search))
    .map((own) => [own[0]!, listed(own.toSorted(compareTimes))] as const)
  const valueOf = ([{ person }, one]: (typeof persons)[number]): Value | undefined => {
    const [kind, name] = query.order.split('.') as [string, string | undefined]
    if (name === undefined) return one[kind as 'events']
    return kind === 'trait' ? person.traits[name] : person.properties[name]
  }
  const rank = (value: Value): number => ['boolean', 'number', 'string'].indexOf(typeof value)
  return persons
    .toSorted((a, b) => {
      const [x, y] = [valueOf(a), valueOf(b)]
      const byId = a[1].id < b[1].id ? -1 : 1
      if (x === undefined || y === undefined) return x === y ? byId : x === undefined ? 1 : -1
      const order = rank(x) - rank(y) || (x < y ? -1 : x > y ? 1 : 0)
      return (query.descending ? -order : order) || byId
    })
    .map(([, one]) => one)
}

/** An event without values of its own, so that only those of its person matter. */
function ofPerson({ event: { event_id, timestamp, seq }, ...row }: Row): Row {
  return { ...row, event: { event_id, timestamp, seq, type: 'custom', name: 'none' } }
}

function found(rows: readonly Row[], search: string | undefined): boolean {
  const texts = rows.flatMap(({ device_id, person }) => [
    device_id,
    person.user ?? '',
    ...Object.values(person.traits).map(String),
  ])
  return search === undefined || texts.some((text) => text.toLowerCase().includes(search.toLowerCase()))
}

function listed(rows: readonly Row[]): Listed {
  return {
    id: rows[0]!.person.name,
    devices: new Set(rows.map(({ device_id }) => device_id)).size,
    first_seen: rows[0]!.event.timestamp,
    last_seen: rows.at(-1)!.event.timestamp,
    events: rows.length,
  }
}

/** Walks all pages, each of which ends where the next begins. */
function walk(generated: World, query: PersonsRequest): Listed[] {
  const people = generated.chunks.flat()[0]!.people
  const ofTraits = new Set(
    generated.rows.flatMap(({ person }) =>
      person.user !== undefined &&
      Object.values(person.traits).some((value) =>
        String(value)
          .toLowerCase()
          .includes((query.search ?? '').toLowerCase()),
      )
        ? [person.user]
        : [],
    ),
  )
  const persons: Listed[] = []
  for (let after: PersonsRequest['after']; ;) {
    const scan = new PersonsScan({ ...query, ...(after ? { after } : {}) }, people, ofTraits)
    for (const { spans } of generated.lanes) scan.scanLane(spans)
    const page = scan.finish()
    expect(page.persons.length).toBeLessThanOrEqual(query.limit)
    persons.push(
      ...page.persons.map(({ id, devices, first_seen, last_seen, events }) => ({
        id,
        devices,
        first_seen,
        last_seen,
        events,
      })),
    )
    if (!page.more) return persons
    after = page.persons.at(-1)
  }
}

it('lists the same persons as the naive reference, in any order and page by page', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(world, fc.array(request, { minLength: 8, maxLength: 8 }), (generated, requests) => {
      for (const { from, ticks, search, ...rest } of requests) {
        const range = { from: T0 + from * TICK_MS, to: T0 + (from + ticks) * TICK_MS }
        const query = { ...range, ...rest, ...(search === undefined ? {} : { search }) }
        expect(walk(generated, query)).toEqual(naivePersons(generated, query))
      }
    }),
    { numRuns: 40 },
  )
})

it('refuses keys that are not person keys', () => {
  const query = { from: 0, to: 1, filters: [], order: 'events', descending: false, limit: 1 }
  const people = undefined as never
  expect(() => new PersonsScan({ ...query, filters: [{ type: 'all', key: 'page' }] }, people)).toThrow(
    'cannot test page',
  )
  expect(() => new PersonsScan({ ...query, order: 'page' }, people)).toThrow('order must be')
})
