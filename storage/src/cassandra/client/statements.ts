import { loadQueries } from '@hopper/cql'
import { HopperError } from '@hopper/contracts'
import type { Client, QueryOptions, types } from 'cassandra-driver'

const queries = loadQueries()

/** A query of a batch, in the driver's format. */
export type Statement = { query: string; params: unknown[] }

/** The text of a named query in cql/queries. */
export function statement(name: string): string {
  const text = queries.get(name)
  if (text === undefined) throw new HopperError('HOP_INTERNAL', `No query is named ${name}.`)
  return text
}

/** The name of the file with a table's queries. */
export function queryFile(table: string): string {
  return table.replaceAll('_', '-')
}

/** Reads all rows of a named query, in pages, so that no response is larger than a page. */
export async function rowsOf(
  client: Client,
  name: string,
  parameters: unknown[],
  options: QueryOptions = {},
): Promise<types.Row[]> {
  const rows: types.Row[] = []
  for await (const page of pagesOf(client, name, parameters, options)) rows.push(...page)
  return rows
}

/** Reads the rows of a named query one page at a time; skips empty pages. */
export async function* pagesOf(
  client: Client,
  name: string,
  parameters: unknown[],
  options: QueryOptions = {},
): AsyncGenerator<types.Row[]> {
  let pageState: string | undefined
  do {
    const page = await client.execute(statement(name), parameters, {
      prepare: true,
      isIdempotent: true,
      ...options,
      ...(pageState ? { pageState } : {}),
    })
    if (page.rowLength > 0) yield page.rows
    pageState = page.pageState ?? undefined
  } while (pageState)
}
