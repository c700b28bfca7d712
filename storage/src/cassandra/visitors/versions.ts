import type { Client } from 'cassandra-driver'
import type { Partition } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { randomStep } from '../client/random-step.ts'
import { rowsOf, statement, type Statement } from '../client/statements.ts'
import type { PackedRows, PackedTable } from './visitor-block.ts'
import type { Delta } from './visitor-deltas.ts'

const CONCURRENCY = 16

/**
 * Everything that has a version for each date and lane: a table with deltas, or all counter tables together. The
 * version of the counters is bumped whenever another one of its date is, so that it alone shows whether the date has
 * changed.
 */
export type Versioned = PackedTable | 'counters'

/**
 * Bumps the versions of everything that has changed: those of tables by the steps of their deltas, and those of the
 * counters of these dates, which must include the dates of visitors. Must be called after the data was written, so that
 * whoever sees a new version can read the data. Unnecessary bumps do no harm.
 */
export async function bumpVersions(
  client: Client,
  lane: number,
  deltas: readonly Delta[],
  counted: readonly Partition[],
): Promise<void> {
  const changed = new Map<
    string,
    { key: [app: string, month: string, of: string, date: string, lane: number]; step: bigint }
  >()
  const bump = (versioned: Versioned, { app, date }: Partition, step: bigint): void => {
    const id = JSON.stringify([app, versioned, date])
    changed.set(id, { key: [app, date.slice(0, 7), versioned, date, lane], step: step + (changed.get(id)?.step ?? 0n) })
  }
  for (const delta of deltas) for (const { table } of delta.changes) bump(table, delta, delta.step)
  for (const partition of counted) bump('counters', partition, randomStep())
  const query = statement('visitor-versions.add')
  const batches = Map.groupBy(changed.values(), ({ key: [app, month] }) => JSON.stringify([app, month]))
  await mapConcurrent([...batches.values()], CONCURRENCY, (batch) =>
    client.batch(
      batch.map(({ key, step }): Statement => ({ query, params: [step, ...key] })),
      { prepare: true, counter: true, isIdempotent: false },
    ),
  )
}

/**
 * Bumps the versions of tables with removed rows by a step that no delta has, so that readers read the whole
 * partitions.
 */
export async function bumpVersionsOfRemoved(
  client: Client,
  lane: number,
  changes: readonly (Partition & PackedRows)[],
): Promise<void> {
  const removed = changes.map((change) => ({
    app: change.app,
    date: change.date,
    changes: [change],
    rows: 0,
    number: 0n,
    step: randomStep(),
  }))
  await bumpVersions(client, lane, removed, changes)
}

/** The versions of a table, or of all counters, by `versionKey`. Dates ascend. Must be read before the rows. */
export async function versionsOf(
  client: Client,
  versioned: Versioned,
  app: string,
  dates: readonly string[],
): Promise<Map<string, bigint>> {
  const [first, last] = [dates[0], dates.at(-1)]
  if (first === undefined || last === undefined) return new Map()
  const months = [...new Set(dates.map((date) => date.slice(0, 7)))]
  const rows = await mapConcurrent(months, CONCURRENCY, (month) =>
    rowsOf(client, 'visitor-versions.read', [app, month, versioned, first, last]),
  )
  return new Map(
    rows
      .flat()
      .map((row) => [versionKey(row.get('date') as string, row.get('lane') as number), row.get('version') as bigint]),
  )
}

export function versionKey(date: string, lane: number): string {
  return `${date} ${lane}`
}
