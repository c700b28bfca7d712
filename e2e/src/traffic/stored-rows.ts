import { Chunk, chunkRows } from '@hopper/engine'
import { counterTableNames, visitorTableNames, visitorTables, type Archive, type TableReader } from '@hopper/storage'

/**
 * Every row of an app in the tables, by `table date key…`, with the values joined by a space: the same format as
 * `groundTruth`.
 */
export interface StoredRows {
  readonly counters: Map<string, readonly number[]>
  readonly persons: Map<string, number>
  readonly devices: Map<string, number>
  readonly fates: Map<string, number>
}

export async function readTables(reader: TableReader, app: string, dates: readonly string[]): Promise<StoredRows> {
  const found: StoredRows = { counters: new Map(), persons: new Map(), devices: new Map(), fates: new Map() }
  for (const table of counterTableNames) {
    for (const { date, key, counters } of await reader.counters(table, app, dates)) {
      if (table === 'fates_by_date')
        found.fates.set(String(key[0]), (found.fates.get(String(key[0])) ?? 0) + counters[0]!)
      else found.counters.set([table, date, ...key].join(' '), counters)
    }
  }
  for (const table of visitorTableNames) {
    const groupBy = ['date', ...Object.keys(visitorTables[table].key)]
    for (const countBy of ['person', 'device'] as const) {
      for (const { group, users } of await reader.uniques({ table, app, dates, prefix: [], groupBy, countBy })) {
        found[countBy === 'person' ? 'persons' : 'devices'].set([table, ...group].join(' '), users)
      }
    }
  }
  return found
}

/** Number of occurrences of each event in the archive, by its id, and the number of those that a machine sent. */
export interface ArchivedEvents {
  readonly times: ReadonlyMap<string, number>
  readonly bots: number
}

export async function readArchive(archive: Archive, app: string): Promise<ArchivedEvents> {
  const times = new Map<string, number>()
  let bots = 0
  for (const summary of await archive.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })) {
    const columns = await archive.columns(summary, Object.keys(summary.columns))
    for (const {
      event: { event_id },
      context,
    } of chunkRows(Chunk.of({ summary, columns }))) {
      times.set(event_id, (times.get(event_id) ?? 0) + 1)
      if (context.bot) bots++
    }
  }
  return { times, bots }
}

/** Returns the 30 dates that random traffic up to `now` may have. */
export function datesAround(now: number): string[] {
  return Array.from({ length: 30 }, (_, ago) => new Date(now - (28 - ago) * 86_400_000).toISOString().slice(0, 10))
}

/** Returns the rows in a fixed order for comparison. */
export function sorted<T>(rows: ReadonlyMap<string, T>): [string, T][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
}
