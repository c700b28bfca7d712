import { foldArchived, Recount } from '@hopper/aggregator'
import { shiftDate, timeZone, type App } from '@hopper/contracts'
import {
  counterTableNames,
  readAhead,
  visitorTableNames,
  type CounterPartition,
  type VisitorChange,
  type VisitorPartition,
} from '@hopper/storage'
import { AuditedStages, isOfStages, withoutMarks, withStages } from './audited-stages.ts'
import { compareCounters, compareVisitors } from './compare.ts'
import { dateWindows } from './date-windows.ts'
import { comparedOf, type Compared, type VisitorDrift } from './drift.ts'
import type { LaneSource } from './lane-source.ts'
import { readCounted, Watermarks } from './read-counted.ts'

const datedTables = counterTableNames.filter((table) => table !== 'fates_by_date')

/**
 * Compares one lane's partitions of an app on these dates with a recount, a few dates at a time. Counting may continue:
 * events that are counted but not archived come from the log, up to the watermark at which each partition was read.
 */
export async function* auditDates(source: LaneSource, app: App, dates: readonly string[]): AsyncGenerator<Compared> {
  const { archive } = source.storage
  const chunks = archive ? await archive.list({ app: app.id, lane: source.lane, ...instantsOf(app, dates) }) : []
  for (const window of dateWindows(dates, timeZone(app.timezone), chunks)) yield await auditWindow(source, app, window)
}

async function auditWindow(source: LaneSource, app: App, dates: readonly string[]): Promise<Compared> {
  const committed = await source.committed()
  const counted = await readCounted(
    source.storage,
    source.lane,
    dates.flatMap((date) => datedTables.map((table) => ({ table, app: app.id, date }))),
  )
  const visited = await readVisitors(source, app, dates)
  const expected = new Recount()
  const [stages, folded] = await Promise.all([AuditedStages.of(source, app), withStages(source.storage.registry, app)])
  for await (const events of source.archived(app, instantsOf(app, dates), committed))
    expected.add(foldArchived(folded, events))
  for (const date of dates) await stages.addPast(expected, date)
  const watermarks = new Watermarks(counted)
  await addCounted(expected, source, committed, watermarks)
  const visitors = await compareVisitorPartitions(source, visited, expected, committed)
  const drift = [
    ...counted
      .map(withoutMarks)
      .flatMap((found) => compareCounters(source.lane, found, expected.counters(found.partition))),
    ...visitors,
  ]
  const filled = [...counted, ...visited].filter(({ rows }) => rows.length > 0).map(({ partition }) => partition)
  return comparedOf(filled, stages.isMoving ? drift.filter(({ table }) => !isOfStages(table)) : drift)
}

/**
 * Adds the logged events behind the archive that each partition has already counted. Every event that counts feeds
 * `activity_by_date`.
 */
async function addCounted(recount: Recount, source: LaneSource, from: number, watermarks: Watermarks): Promise<void> {
  for await (const { position, folded } of source.folded(from, watermarks.highest + 1)) {
    const counted = (partition: CounterPartition): boolean => position <= watermarks.of(partition)
    const visitors = folded.visitors.filter(({ app, date }) => counted({ table: 'activity_by_date', app, date }))
    recount.add({ counters: folded.counters.filter(counted), visitors })
  }
}

interface FoundVisitors {
  readonly partition: VisitorPartition
  readonly rows: VisitorChange['rows']
}

async function readVisitors(
  { storage, lane }: LaneSource,
  app: App,
  dates: readonly string[],
): Promise<FoundVisitors[]> {
  const partitions = dates.flatMap((date) => visitorTableNames.map((table) => ({ table, app: app.id, date })))
  const found: FoundVisitors[] = []
  const read = async (partition: VisitorPartition): Promise<FoundVisitors> => ({
    partition,
    rows: await storage.reader.visitorPartition(lane, partition),
  })
  for await (const each of readAhead(partitions, read)) found.push(each)
  return found
}

/**
 * Visitor rows can exist before their counters: rows that no counted event accounts for may belong to a message that is
 * about to be counted. Of a batch in flight, some partitions are counted and others are not, so that message may be any
 * message behind the archive.
 */
async function compareVisitorPartitions(
  source: LaneSource,
  found: readonly FoundVisitors[],
  expected: Recount,
  committed: number,
): Promise<VisitorDrift[]> {
  const compare = (allowed: Recount): VisitorDrift[] =>
    found.flatMap(({ partition, rows }) =>
      compareVisitors(source.lane, partition, rows, expected.visitors(partition), allowed.visitors(partition)),
    )
  const drift = compare(new Recount())
  if (drift.every(({ kind }) => kind === 'missing')) return drift
  const pending = new Recount()
  for await (const { folded } of source.folded(committed, Infinity))
    pending.add({ counters: [], visitors: folded.visitors })
  return compare(pending)
}

function instantsOf(app: App, dates: readonly string[]): { from: number; to: number } {
  const zone = timeZone(app.timezone)
  return { from: zone.startOf(dates[0]!), to: zone.startOf(shiftDate(dates.at(-1)!, 1)) }
}
