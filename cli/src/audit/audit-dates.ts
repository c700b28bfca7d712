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
import type { Drift, VisitorDrift } from './drift.ts'
import type { LaneSource } from './lane-source.ts'
import { readCounted, Watermarks } from './read-counted.ts'

const datedTables = counterTableNames.filter((table) => table !== 'fates_by_date')

/**
 * Compares one lane's partitions of these dates of an app with a recount, some dates at a time. Nothing has to stand
 * still: what is counted behind the archive is told by the log, up to the watermark that each partition was read with.
 */
export async function* auditDates(
  source: LaneSource,
  app: App,
  dates: readonly string[],
): AsyncGenerator<readonly Drift[]> {
  const { archive } = source.storage
  const chunks = archive ? await archive.list({ app: app.id, lane: source.lane, ...instantsOf(app, dates) }) : []
  for (const window of dateWindows(dates, timeZone(app.timezone), chunks)) yield await auditWindow(source, app, window)
}

async function auditWindow(source: LaneSource, app: App, dates: readonly string[]): Promise<Drift[]> {
  const committed = await source.committed()
  const counted = await readCounted(
    source.storage,
    source.lane,
    dates.flatMap((date) => datedTables.map((table) => ({ table, app: app.id, date }))),
  )
  const visited = await readVisited(source, app, dates)
  const expected = new Recount()
  const [stages, folded] = await Promise.all([AuditedStages.of(source, app), withStages(source.storage.registry, app)])
  for await (const events of source.archived(app, instantsOf(app, dates), committed))
    expected.add(foldArchived(folded, events))
  for (const date of dates) await stages.addPast(expected, date)
  const watermarks = new Watermarks(counted)
  await addCounted(expected, source, committed, watermarks)
  const visitors = await compareVisited(source, visited, expected, committed)
  const drift = [
    ...counted
      .map(withoutMarks)
      .flatMap((found) => compareCounters(source.lane, found, expected.counters(found.partition))),
    ...visitors,
  ]
  return stages.isMoving ? drift.filter(({ table }) => !isOfStages(table)) : drift
}

/**
 * Adds what the log holds behind the archive, as far as each partition has counted it. Every event that counts feeds
 * `activity_by_date`.
 */
async function addCounted(recount: Recount, source: LaneSource, from: number, watermarks: Watermarks): Promise<void> {
  for await (const { position, folded } of source.folded(from, watermarks.highest + 1)) {
    const counted = (partition: CounterPartition): boolean => position <= watermarks.of(partition)
    const visitors = folded.visitors.filter(({ app, date }) => counted({ table: 'activity_by_date', app, date }))
    recount.add({ counters: folded.counters.filter(counted), visitors })
  }
}

interface Visited {
  readonly partition: VisitorPartition
  readonly rows: VisitorChange['rows']
}

async function readVisited({ storage, lane }: LaneSource, app: App, dates: readonly string[]): Promise<Visited[]> {
  const partitions = dates.flatMap((date) => visitorTableNames.map((table) => ({ table, app: app.id, date })))
  const visited: Visited[] = []
  const read = async (partition: VisitorPartition): Promise<Visited> => ({
    partition,
    rows: await storage.reader.visitorPartition(lane, partition),
  })
  for await (const each of readAhead(partitions, read)) visited.push(each)
  return visited
}

/**
 * Rows of visitors may stand before their counters do: those that no counted event accounts for may belong to a message
 * that is about to be counted. Of a batch under way some partitions are counted and others not, so that may be any
 * message behind the archive.
 */
async function compareVisited(
  source: LaneSource,
  visited: readonly Visited[],
  expected: Recount,
  committed: number,
): Promise<VisitorDrift[]> {
  const compare = (allowed: Recount): VisitorDrift[] =>
    visited.flatMap(({ partition, rows }) =>
      compareVisitors(source.lane, partition, rows, expected.visitors(partition), allowed.visitors(partition)),
    )
  const drift = compare(new Recount())
  if (drift.every(({ kind }) => kind === 'missing')) return drift
  const soon = new Recount()
  for await (const { folded } of source.folded(committed, Infinity))
    soon.add({ counters: [], visitors: folded.visitors })
  return compare(soon)
}

function instantsOf(app: App, dates: readonly string[]): { from: number; to: number } {
  const zone = timeZone(app.timezone)
  return { from: zone.startOf(dates[0]!), to: zone.startOf(shiftDate(dates.at(-1)!, 1)) }
}
