import type { Client } from 'cassandra-driver'
import type { VisitorTableName } from '../ports/table-definitions.ts'
import type { IdentityChange, Partition } from '../ports/tables.ts'
import { concurrently } from './concurrently.ts'
import { randomStep } from './random-step.ts'
import { rowsOf, statement, type Statement } from './statements.ts'
import type { VisitorDelta } from './visitor-deltas.ts'

const AT_ONCE = 16
const FIRST_USERS = 'first_users'

/** What has a version for each date and lane: a visitor table, and all counter tables together. */
export type Versioned = VisitorTableName | 'counters'

/** What has changed in a lane. */
export interface Changes {
  readonly visitors: readonly VisitorDelta[]
  readonly identities: readonly Pick<IdentityChange, 'app'>[]
  /** dates whose counters have */
  readonly counted: readonly Partition[]
}

/**
 * Makes the versions others of what has changed: those of visitors by the steps of their deltas. To be called after all of that was written, so that a new
 * version means that it can be read. What is renewed without need does no harm.
 */
export async function renewVersions(client: Client, lane: number, { visitors, identities, counted }: Changes): Promise<void> {
  const changed = new Map<string, { key: [app: string, month: string, of: string, date: string, lane: number]; step: bigint }>()
  const renew = (app: string, of: Versioned | typeof FIRST_USERS, date: string, step: bigint): void => {
    const id = JSON.stringify([app, of, date])
    changed.set(id, { key: [app, date.slice(0, 7), of, date, lane], step: step + (changed.get(id)?.step ?? 0n) })
  }
  for (const { app, date, changes, step } of visitors) for (const { table } of changes) renew(app, table, date, step)
  for (const { app, date } of counted) renew(app, 'counters', date, randomStep())
  for (const { app } of identities) renew(app, FIRST_USERS, '', randomStep())
  const query = statement('visitor-versions.add')
  const batches = Map.groupBy(changed.values(), ({ key: [app, month] }) => JSON.stringify([app, month]))
  await concurrently([...batches.values()], AT_ONCE, (batch) => (
    client.batch(batch.map(({ key, step }): Statement => ({ query, params: [step, ...key] })), { prepare: true, counter: true, isIdempotent: false })))
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
