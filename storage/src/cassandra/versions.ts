import { randomInt } from 'node:crypto'
import type { Client } from 'cassandra-driver'
import type { VisitorTableName } from '../ports/table-definitions.ts'
import type { LaneBatch, Partition } from '../ports/tables.ts'
import { concurrently } from './concurrently.ts'
import { rowsOf, statement, type Statement } from './statements.ts'

const STEP_MAX = 2 ** 31
const AT_ONCE = 16
const FIRST_USERS = 'first_users'

/** What has a version for each date and lane: a visitor table, and all counter tables together. */
export type Versioned = VisitorTableName | 'counters'

/**
 * Makes the versions others of what a batch has changed: its visitors and identities, and the counters of these dates. To be called after all of that was
 * written, so that a new version means that it can be read. What is renewed without need does no harm.
 */
export async function renewVersions(client: Client, { lane, visitors, identities }: LaneBatch, counted: Iterable<Partition>): Promise<void> {
  const changed = new Map<string, [app: string, month: string, of: string, date: string, lane: number]>()
  const note = (of: Versioned, { app, date }: Partition): void => void changed.set(JSON.stringify([app, of, date]), [app, date.slice(0, 7), of, date, lane])
  for (const change of visitors) if (change.rows.length > 0) note(change.table, change)
  for (const partition of counted) note('counters', partition)
  for (const { app } of identities) changed.set(JSON.stringify([app]), [app, '', FIRST_USERS, '', lane])
  const query = statement('visitor-versions.add')
  const batches = new Map<string, Statement[]>()
  for (const key of changed.values()) {
    const partition = JSON.stringify(key.slice(0, 2))
    batches.set(partition, [...(batches.get(partition) ?? []), { query, params: [BigInt(randomInt(1, STEP_MAX)), ...key] }])
  }
  await concurrently([...batches.values()], AT_ONCE, (batch) => client.batch(batch, { prepare: true, counter: true, isIdempotent: false }))
}

/** The versions of a table, or of all counters, by `versionKey`, over ascending dates. To be read before the rows. */
export async function versionsOf(client: Client, of: Versioned, app: string, dates: readonly string[]): Promise<Map<string, bigint>> {
  const [first, last] = [dates[0], dates.at(-1)]
  if (first === undefined || last === undefined) return new Map()
  const months = [...new Set(dates.map((date) => date.slice(0, 7)))]
  const rows = await concurrently(months, AT_ONCE, (month) => rowsOf(client, 'visitor-versions.read', [app, month, of, first, last]))
  return new Map(rows.flat().map((row) => [versionKey(row.get('date') as string, row.get('lane') as number), row.get('version') as bigint]))
}

/** The versions of the first users of an app, by `versionKey` of the date ''. */
export async function firstUserVersions(client: Client, app: string): Promise<Map<string, bigint>> {
  const rows = await rowsOf(client, 'visitor-versions.read', [app, '', FIRST_USERS, '', ''])
  return new Map(rows.map((row) => [versionKey('', row.get('lane') as number), row.get('version') as bigint]))
}

export function versionKey(date: string, lane: number): string {
  return `${date} ${lane}`
}
