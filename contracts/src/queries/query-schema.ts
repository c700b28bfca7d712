import { EventQuery } from './event-query.ts'
import { sharedDefinitions } from '../shared-definitions.ts'
import { strictSchema } from '../strict-schema.ts'

/**
 * Builds the JSON Schema (2020-12) of a query, served at `/schemas/query.json`. It is derived from the value that
 * validates queries and has an example for each part.
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
