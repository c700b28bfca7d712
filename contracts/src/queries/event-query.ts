import { Type, type Static } from 'typebox'
import { FiltersSchema, KeySchema, type Filter, type Value } from './filter.ts'
import { limits } from '../limits.ts'
import { queryLimits } from './query-limits.ts'

const instant = Type.Union([Type.Integer(), Type.String({ maxLength: 40 })])
const name = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const keys = Type.Array(KeySchema, { maxItems: queryLimits.uniqueKeysMax })

/** One set of events of `POST /query`, in both spellings: `unique` or `operations`. */
export const EventSet = Type.Object(
  {
    name,
    filters: FiltersSchema,
    unique: Type.Optional(keys),
    operations: Type.Optional(
      Type.Array(Type.Object({ type: Type.Literal('unique'), key: KeySchema }), {
        maxItems: queryLimits.uniqueKeysMax,
      }),
    ),
    keys: Type.Optional(
      Type.Array(KeySchema, {
        maxItems: queryLimits.uniqueKeysMax,
        description: 'what `events` shows of each event, else all of it',
      }),
    ),
    events: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: queryLimits.eventsMax,
        description: 'how many of the matching events are returned, the earliest first',
      }),
    ),
  },
  {
    examples: [
      { name: 'views', filters: [{ type: 'eq', key: 'event_tag', value: 'product_view' }], unique: ['user_id'] },
      {
        name: 'views',
        keys: ['user_id', 'item_colour_id'],
        filters: [{ type: 'eq', key: 'event_tag', value: 'product_view' }],
        operations: [{ type: 'unique', key: 'user_id' }],
        events: 10,
      },
    ],
  },
)

const names = Type.Array(name, { minItems: 1, maxItems: queryLimits.setsMax })

/** The body of `POST /query`. */
export const EventQuery = Type.Object(
  {
    start: instant,
    end: instant,
    data: Type.Array(EventSet, { minItems: 1, maxItems: queryLimits.setsMax }),
    funnel: Type.Optional(
      Type.Object(
        {
          type: Type.Literal('exact_order'),
          order: Type.Optional(names),
          data: Type.Optional(names),
          match: Type.Optional(Type.Array(KeySchema, { maxItems: queryLimits.matchKeysMax })),
        },
        { examples: [{ type: 'exact_order', order: ['views', 'carts'], match: ['user_id', 'item_colour_id'] }] },
      ),
    ),
  },
  {
    examples: [
      {
        start: '2026-01-01',
        end: '2026-01-31',
        data: [
          {
            name: 'views',
            filters: [
              { type: 'eq', key: 'event_tag', value: 'product_view' },
              { type: 'all', key: 'item_colour_id' },
            ],
            unique: ['user_id'],
          },
          {
            name: 'carts',
            filters: [{ type: 'regex', key: 'event_tag', value: 'add_to_(cart|bag)' }],
            operations: [{ type: 'unique', key: 'user_id' }],
            events: 10,
          },
        ],
        funnel: { type: 'exact_order', order: ['views', 'carts'], match: ['user_id', 'item_colour_id'] },
      },
    ],
  },
)

/** A normalized query with times in ms, as run by the engine. `start` is inclusive, `end` exclusive. */
export interface EventRequest {
  readonly start: number
  readonly end: number
  readonly data: readonly {
    readonly name: string
    readonly filters: readonly Filter[]
    readonly unique?: readonly string[]
    readonly operations?: readonly { readonly type: 'unique'; readonly key: string }[]
    readonly keys?: readonly string[]
    readonly events?: number
  }[]
  readonly funnel?: {
    readonly type: 'exact_order'
    readonly order?: readonly string[]
    readonly data?: readonly string[]
    readonly match?: readonly string[]
  }
}

const count = Type.Integer({ minimum: 0, description: 'events, each counted as often as its samplerate says' })
const unique = Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
  description: 'different values of each key; events without it do not count',
})

/** The result that the engine returns for `POST /query`. */
export const EventResult = Type.Object({
  data: Type.Array(
    Type.Object({ name, count, unique, events: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()))) }),
  ),
  funnel: Type.Optional(
    Type.Object({
      stages: Type.Array(
        Type.Object({
          name,
          count,
          unique,
          rate: Type.Union([Type.Number(), Type.Null()], {
            description: 'count of the stage : count of the first; null when that is 0',
          }),
        }),
      ),
    }),
  ),
})
export type EventResult = Static<typeof EventResult>
export type EventRow = Readonly<Record<string, Value | Readonly<Record<string, Value>>>>
