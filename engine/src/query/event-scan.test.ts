import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HopperError, type ArchivedEvent, type EventRequest, type Filter } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import { naiveEvents } from '../contract/naive-events.ts'
import { T0, TICK_MS, world } from '../contract/random-world.ts'
import { EventPlan } from './event-plan.ts'
import { queryEvents } from './event-scan.ts'

const filters = fc.constantFrom<Filter[]>(
  [{ type: 'eq', key: 'name', value: 'a' }],
  [{ type: 'eq', key: 'name', value: 'b' }],
  [{ type: 'all', key: 'item' }],
  [],
  [{ type: 'all', key: 'k3' }],
  [{ type: 'ne', key: 'k4', value: 1 }],
  [{ type: 'eq', key: 'user_id', value: 'user-1' }],
  [{ type: 'eq', key: 'person', value: 'u:user-2' }],
  [{ type: 'gt', key: 'trait.plan', value: 0 }],
  [{ type: 'lt', key: 'property.difference', value: 1 }],
  [
    {
      type: 'or',
      filters: [
        { type: 'eq', key: 'item', value: 'x' },
        { type: 'regex', key: 'to', value: '/p[12]' },
      ],
    },
  ],
)
const keys = fc.subarray(
  [
    'user_id',
    'item',
    'device_id',
    'plan',
    'timestamp',
    'k1',
    'k2',
    'data.name',
    'person',
    'trait.item',
    'property.sum',
  ],
  { minLength: 0, maxLength: 2 },
)

const request: fc.Arbitrary<EventRequest> = fc
  .record({
    sets: fc.array(
      fc.record({ filters, keys, second: fc.boolean(), events: fc.nat({ max: 4 }), shown: fc.boolean() }),
      { minLength: 1, maxLength: 3 },
    ),
    from: fc.nat({ max: 8 }),
    ticks: fc.integer({ min: 1, max: 30 }),
    match: fc.constantFrom([], ['user_id'], ['item'], ['item', 'plan'], ['device_id', 'item'], ['k5'], ['person']),
    funnel: fc.boolean(),
    order: fc.boolean(),
  })
  .map(({ sets, from, ticks, match, funnel, order }): EventRequest => {
    const names = sets.map((_, i) => `set ${i}`)
    return {
      start: T0 + from * TICK_MS,
      end: T0 + (from + ticks) * TICK_MS,
      data: sets.map((set, i) => ({
        name: names[i]!,
        filters: set.filters,
        ...(set.second
          ? { operations: set.keys.map((key) => ({ type: 'unique' as const, key })) }
          : { unique: set.keys }),
        ...(set.events > 0 ? { events: set.events } : {}),
        ...(set.shown ? { keys: ['item', 'timestamp', 'to', 'k6', 'person', 'user_id', 'trait.user_id'] } : {}),
      })),
      ...(funnel
        ? {
            funnel: {
              type: 'exact_order' as const,
              match,
              ...(order ? { order: names } : { data: [...names].reverse() }),
            },
          }
        : {}),
    }
  })

function tag(i: number, event_tag: string, user_id: string, item_colour_id: string): ArchivedEvent {
  return {
    event: {
      event_id: `e${i}`,
      timestamp: T0 + i,
      seq: 0,
      type: 'custom',
      name: 'event',
      data: { event_tag, user_id, item_colour_id },
    },
    device_id: `d${i}`,
    user: '',
    context: { device: 'server', browser: '', os: '' },
    received_at: T0 + i,
    position: i,
    index: 0,
  }
}

describe('POST /query', () => {
  it('equals the naive reference on random worlds and queries', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 8, maxLength: 8 }), (generated, queries) => {
        for (const query of queries) {
          const plan = new EventPlan(query)
          const chunks = generated.chunks.flat().map((chunk) => {
            const names = plan.columns(chunk.summary)
            const load = (name: string): Uint8Array | undefined => (names.includes(name) ? chunk.cell(name) : undefined)
            return new Chunk(chunk.summary, load).withPeople(chunk.people)
          })
          expect(queryEvents(query, chunks)).toEqual(naiveEvents(generated, query))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('answers the example of the event store: views followed by carts of the same user and item colour', () => {
    const events = [
      tag(1, 'product_view', 'ann', 'red'),
      tag(2, 'product_view', 'ann', 'blue'),
      tag(3, 'add_to_cart', 'ann', 'red'),
      tag(4, 'add_to_cart', 'bob', 'red'),
      tag(5, 'product_view', 'bob', 'red'),
      tag(6, 'product_view', 'cay', 'red'),
      tag(7, 'add_to_cart', 'cay', 'red'),
      tag(8, 'add_to_cart', 'cay', 'red'),
    ]
    const chunks = encodeChunks(events, {
      app: 'a',
      date: '2026-01-01',
      lane: 0,
      first_position: 1,
      last_position: 8,
    }).map((chunk) => Chunk.of(chunk))
    const answer = queryEvents(
      {
        start: T0,
        end: T0 + 1_000,
        data: [
          { name: 'views', filters: [{ type: 'eq', key: 'event_tag', value: 'product_view' }], unique: ['user_id'] },
          {
            name: 'carts',
            filters: [{ type: 'eq', key: 'event_tag', value: 'add_to_cart' }],
            operations: [{ type: 'unique', key: 'user_id' }],
          },
        ],
        funnel: { type: 'exact_order', order: ['views', 'carts'], match: ['user_id', 'item_colour_id'] },
      },
      chunks,
    )
    expect(answer).toEqual({
      data: [
        { name: 'views', count: 4, unique: { user_id: 3 } },
        { name: 'carts', count: 4, unique: { user_id: 3 } },
      ],
      funnel: {
        stages: [
          { name: 'views', count: 4, unique: { user_id: 3 }, rate: 1 },
          { name: 'carts', count: 3, unique: { user_id: 2 }, rate: 0.75 },
        ],
      },
    })
  })

  it('rejects queries that exceed a limit or refer to unknown sets', () => {
    const run =
      (data: EventRequest['data'], order: string[] = []): (() => void) =>
      () => {
        queryEvents(
          { start: T0, end: T0 + 1, data, ...(order.length > 0 ? { funnel: { type: 'exact_order', order } } : {}) },
          [],
        )
      }
    expect(run([{ name: 'a', filters: [] }], ['b'])).toThrow(HopperError)
    expect(run([])).toThrow(HopperError)
    expect(
      run([
        { name: 'a', filters: [] },
        { name: 'a', filters: [] },
      ]),
    ).toThrow('different names')
    expect(() =>
      queryEvents({ start: 0, end: 100 * 366 * 86_400_000, data: [{ name: 'a', filters: [] }] }, []),
    ).toThrow(HopperError)
  })
})
