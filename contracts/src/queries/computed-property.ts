import { Type, type Static } from 'typebox'
import { limits } from '../limits.ts'
import { FiltersSchema, KeySchema, type Filter } from './filter.ts'

/** The operation by which a computed property combines the matching events of a person. */
export const propertyOperations = [
  'count',
  'sum',
  'difference',
  'first',
  'latest',
  'minimum',
  'maximum',
  'unique',
] as const
export type PropertyOperation = (typeof propertyOperations)[number]

/** The definition of a computed property, without its name. */
export const PropertyDefinition = Type.Object({
  event: Type.String({
    minLength: 1,
    maxLength: limits.nameCharsMax,
    description: 'the events that count: a type, like `url_change`, else the name of a custom event',
  }),
  key: Type.Optional(KeySchema),
  operation: Type.Enum([...propertyOperations], {
    description:
      'what becomes of the values of `key`: their number (of all matching events, if there is no key), their sum, ' +
      'the last number minus the first, the first or latest value, the smallest or greatest number, or the number of ' +
      'different values',
  }),
  filters: Type.Optional(FiltersSchema),
})
export type PropertyDefinition = Omit<Static<typeof PropertyDefinition>, 'filters'> & { filters?: Filter[] }

/** A value per person, computed from all its events whenever it is requested. */
export const ComputedProperty = Type.Object({
  name: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$',
    description: 'letters, digits, _ . - ; at most 64. Queries call it `property.NAME`',
  }),
  ...PropertyDefinition.properties,
})
export type ComputedProperty = { name: string } & PropertyDefinition
