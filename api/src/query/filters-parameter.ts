import { FiltersSchema, JourneyGroups, withExactNumbers, type Filter } from '@hopper/contracts'
import { Type } from 'typebox'
import { checkedBody, invalidFields } from '../http/checked.ts'

/**
 * Parses filters that a parameter of an address has as JSON; none without the parameter.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function filtersOf(field: 'filter' | 'filters', text: string | undefined): Filter[] {
  return text === undefined ? [] : (parsed(field, text) as Filter[])
}

/** @throws HopperError HOP_PARAM_INVALID */
export function groupsOf(text: string): string[] {
  return parsed('groups', text) as string[]
}

const schemas = {
  filter: { schema: Type.Object({ filter: FiltersSchema }), form: 'a JSON array of filters' },
  filters: { schema: Type.Object({ filters: FiltersSchema }), form: 'a JSON array of filters' },
  groups: { schema: Type.Object({ groups: JourneyGroups }), form: 'a JSON array of patterns' },
}

function parsed(field: keyof typeof schemas, text: string): unknown {
  const { schema, form } = schemas[field]
  let sent: unknown
  try {
    sent = JSON.parse(withExactNumbers(text))
  } catch {
    throw invalidFields([{ field, message: `must be ${form}` }])
  }
  return (checkedBody(schema, { [field]: sent }) as Record<string, unknown>)[field]
}
