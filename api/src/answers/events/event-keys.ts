import { Type, type Static } from 'typebox'
import { limits, Meta, queryLimits } from '@hopper/contracts'
import { RangeParameters } from '../report-parameters.ts'
import { Keys } from '../administration.ts'

/** Schemas for the keys of events and their values, which the query form suggests. */
export const VALUES_MAX = 1_000
export const VALUES_DEFAULT = 50
export const VALUES_OF_EACH_DEFAULT = 20

const prefix = Type.Optional(
  Type.String({ maxLength: queryLimits.valueCharsMax, description: 'only those with this prefix' }),
)
const limit = (most: number): ReturnType<typeof Type.Optional<ReturnType<typeof Type.Integer>>> =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: VALUES_MAX, description: `values, the most frequent first; default: ${most}` }),
  )

export const EventKeysParameters = Type.Object({
  ...RangeParameters.properties,
  prefix,
  where: Type.Optional(
    Type.String({
      pattern: `^[\\s\\S]{1,${queryLimits.keyCharsMax}}?:`,
      maxLength: queryLimits.keyCharsMax + limits.dataValueCharsMax + 1,
      description: 'KEY:VALUE, like event_tag:product_view: the keys of such events, with their values',
    }),
  ),
  limit: limit(VALUES_OF_EACH_DEFAULT),
})
export type EventKeysParameters = Static<typeof EventKeysParameters>
export const KeyValuesParameters = Type.Object({ ...RangeParameters.properties, prefix, limit: limit(VALUES_DEFAULT) })
export type KeyValuesParameters = Static<typeof KeyValuesParameters>

const value = Type.Object({
  value: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  events: Type.Integer({ description: 'events of the range that have it, without those of bots' }),
})
const values = Type.Array(value, { description: 'the most frequent first' })
const more = Type.Boolean({ description: 'true if there are more values' })

export const EventKeys = Type.Object({
  rows: Type.Array(Type.Object({ key: Type.String(), values: Type.Optional(values), more: Type.Optional(more) }), {
    description: 'by name; values only with `where`',
  }),
  meta: Meta,
})
export type EventKeys = Static<typeof EventKeys>
export const EventValues = Type.Object({ rows: values, more, meta: Meta })
export type EventValues = Static<typeof EventValues>
export const KeysAnswer = Type.Union([EventKeys, Keys])
