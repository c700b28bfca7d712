import { datesBetween, shiftDate } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import { rejectedPartition, type ExpiredTables, type Partition } from '../ports/tables.ts'
import { counterTableNames, visitorTableNames } from '../ports/table-definitions.ts'
import { mapConcurrent } from './client/map-concurrent.ts'
import { queryFile, rowsOf, statement, type Statement } from './client/statements.ts'
import { versionsOf } from './visitors/versions.ts'

const MONTH_CONCURRENCY = 16
/** No event is older: ingest rejects it. */
const FIRST_DATE = '2000-01-01'
/** At least the write timestamp of any id, see `SeenIds`. */
const ID_TIMESTAMP_MAX = 2n ** 52n
const auxiliary = ['visitor-blocks-by-date', 'visitor-deltas', 'visitor-digests'] as const

/** The dates on which a lane has counted something of an app: those whose counters have a version. */
export async function countedDates(
  client: Client,
  { lane, app, from, before }: { readonly lane: number; readonly app: string; readonly from: string; before: string },
): Promise<string[]> {
  const first = from < FIRST_DATE ? FIRST_DATE : from
  if (first >= before) return []
  const months = [...Map.groupBy(datesBetween(first, shiftDate(before, -1)), (date) => date.slice(0, 7)).values()]
  const found = await mapConcurrent(months, MONTH_CONCURRENCY, async (dates) => {
    const versions = await versionsOf(client, 'counters', app, dates)
    return dates.filter((date) => versions.has(`${date} ${lane}`))
  })
  return found.flat().sort()
}

/** Statements that remove the partitions of a date, each on its own. */
export function expiryStatements(lane: number, { app, date }: Partition, tables: ExpiredTables): Statement[] {
  const partition = [app, date, lane]
  if (tables === 'counted') {
    const counted = counterTableNames.filter((table) => table !== 'fates_by_date')
    const files = [...auxiliary, ...[...counted, ...visitorTableNames].map(queryFile)]
    return files.map((file) => ({ query: statement(`${file}.expire`), params: partition }))
  }
  const rejected = [rejectedPartition(app, date).app, date, lane]
  return [
    { query: statement('fates-by-date.expire'), params: partition },
    { query: statement('seen-blocks-by-date.expire'), params: rejected },
    { query: statement('seen-by-date.expire'), params: [ID_TIMESTAMP_MAX, ...rejected] },
  ]
}

/** The highest generation in which one of these devices was identified first, from the write times of their rows. */
export async function generationOfDevices(
  client: Client,
  { lane, app, generation }: { readonly lane: number; readonly app: string; readonly generation: bigint },
  devices: readonly string[],
): Promise<number> {
  const rows = await rowsOf(client, 'identity.written', [app, lane, devices])
  return rows.reduce((highest, row) => {
    const written = BigInt(String(row.get('written') as bigint | number | null))
    return Math.max(highest, Number(written / generation))
  }, 0)
}
