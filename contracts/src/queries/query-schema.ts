import { EventQuery } from './event-query.ts'
import { sharedDefinitions } from '../shared-definitions.ts'
import { strictSchema } from '../strict-schema.ts'

/**
 * The JSON Schema (2020-12) of a query, as `/schemas/query.json` serves it: made from the same value that checks
 * queries, with an example for each part.
 */
export function querySchema(): Record<string, unknown> {
  const { schema, definitions } = sharedDefinitions(strictSchema(EventQuery), '#/$defs/')
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Query',
    description: 'The body of POST /query.',
    ...schema,
    $defs: definitions,
  }
}
