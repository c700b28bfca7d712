import { Type, type Static } from 'typebox'
import type { Stage } from '../app.ts'
import type { PageRule } from '../stages/page-url.ts'
import { queryLimits } from './query-limits.ts'

const key = Type.String({
  minLength: 1,
  maxLength: queryLimits.keyCharsMax,
  description:
    'a field of the event, else a key of its `data`; `data.KEY` names the latter alone. ' +
    '`person`, `user_id`, `trait.NAME` and `property.NAME` are values of the person',
})
const value = Type.Union([Type.String({ maxLength: queryLimits.valueCharsMax }), Type.Number(), Type.Boolean()])

/**
 * A value of a key of an event. A number and a numeric text (`10` and `"10"`) compare as numbers; so do two numeric
 * texts with `gt` and `lt`. Two texts are equal only if they are identical. Otherwise values of different types are
 * never equal.
 */
export type Value = string | number | boolean

/** A condition on one event. A list of filters is a conjunction. */
export type Filter =
  | { type: 'eq' | 'ne'; key: string; value: Value }
  | { type: 'in'; key: string; values: Value[] }
  | { type: 'all'; key: string }
  | { type: 'contains' | 'regex'; key: string; value: string }
  | { type: 'gt' | 'lt'; key: string; value: string | number }
  | { type: 'not'; filter: Filter }
  | { type: 'or'; filters: Filter[] }
  /** Matches a page against the URL pattern of a stage. Created from stages only, not part of the schema. */
  | { type: 'pattern'; key: 'page_url'; value: string }
  | StageFilter

/**
 * Matches events that enter a stage by their `to` or `target`, see `StageMatcher`. It is created from a configured
 * funnel, never sent by a client.
 */
export interface StageFilter {
  type: 'stage'
  key: 'to' | 'target'
  /** all stages of the funnel */
  stages: Stage[]
  /** the number of the stage to enter */
  stage: number
  rule: PageRule
}

const definitions = {
  Filter: Type.Union([
    Type.Object(
      { type: Type.Literal('eq'), key, value },
      {
        description: 'equal; a number equals a text that is that number',
        examples: [{ type: 'eq', key: 'event_tag', value: 'product_view' }],
      },
    ),
    Type.Object(
      { type: Type.Literal('ne'), key, value },
      {
        description: 'the opposite of eq: also true without the key',
        examples: [{ type: 'ne', key: 'country', value: 'DE' }],
      },
    ),
    Type.Object(
      {
        type: Type.Literal('in'),
        key,
        values: Type.Array(value, { minItems: 1, maxItems: queryLimits.filterValuesMax }),
      },
      { examples: [{ type: 'in', key: 'browser', values: ['Firefox', 'Safari'] }] },
    ),
    Type.Object(
      { type: Type.Literal('all'), key },
      { description: 'the event has the key', examples: [{ type: 'all', key: 'item_colour_id' }] },
    ),
    Type.Object(
      { type: Type.Literal('contains'), key, value: Type.String({ maxLength: queryLimits.valueCharsMax }) },
      { examples: [{ type: 'contains', key: 'to', value: '/products/' }] },
    ),
    Type.Object(
      { type: Type.Literal('regex'), key, value: Type.String({ maxLength: queryLimits.regexCharsMax }) },
      {
        description: 'RE2 syntax, matched against the whole value',
        examples: [{ type: 'regex', key: 'event_tag', value: 'add_to_(cart|bag)' }],
      },
    ),
    Type.Object(
      { type: Type.Literal('gt'), key, value: Type.Union([Type.String(), Type.Number()]) },
      {
        description: 'greater: as numbers where both are numeric, else as texts',
        examples: [{ type: 'gt', key: 'price', value: 99.5 }],
      },
    ),
    Type.Object(
      { type: Type.Literal('lt'), key, value: Type.Union([Type.String(), Type.Number()]) },
      {
        description: 'less: as numbers where both are numeric, else as texts',
        examples: [{ type: 'lt', key: 'elapsed_time', value: 5_000 }],
      },
    ),
    Type.Object(
      { type: Type.Literal('not'), filter: Type.Ref('Filter') },
      { examples: [{ type: 'not', filter: { type: 'all', key: 'user_id' } }] },
    ),
    Type.Object(
      {
        type: Type.Literal('or'),
        filters: Type.Array(Type.Ref('Filter'), { minItems: 1, maxItems: queryLimits.filtersMax }),
      },
      {
        examples: [
          {
            type: 'or',
            filters: [
              { type: 'eq', key: 'os', value: 'iOS' },
              { type: 'eq', key: 'os', value: 'Android' },
            ],
          },
        ],
      },
    ),
  ]),
}

/** The schema of a filter. The engine additionally checks the nesting depth and the total number of filters. */
export const FilterSchema = Type.Cyclic(definitions, 'Filter')
export const FiltersSchema = Type.Array(FilterSchema, { maxItems: queryLimits.filtersMax })
export const KeySchema = key
export const ValueSchema = value
export type ValueSchema = Static<typeof value>
