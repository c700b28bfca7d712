import type { Client } from 'cassandra-driver'
import { statement } from '../client/statements.ts'

/** Wraps a client and counts how often the query of a name is sent. */
export function countingClient(client: Client, name: string): { client: Client; count: () => number } {
  const counted = statement(name)
  let count = 0
  const execute = (query: string, ...rest: [unknown[], object]): Promise<unknown> => {
    if (query === counted) count++
    return client.execute(query, ...rest)
  }
  return {
    count: () => count,
    client: new Proxy(client, {
      get: (target, property) =>
        property === 'execute' ? execute : (Reflect.get(target, property, target) as unknown),
    }),
  }
}
