import { datesBetween, shiftDate, timeZone, type App, type ChunkSummary } from '@hopper/contracts'
import {
  counterTableNames,
  emptyBatch,
  readAhead,
  visitorTableNames,
  type CounterChange,
  type Storage,
  type VisitorChange,
  type VisitorPartition,
} from '@hopper/storage'
import { compareCounters, compareVisitors, type CountedPartition } from '../audit/compare.ts'
import type { LaneLease } from '../installation/lane-lease.ts'
import { readCounted } from '../audit/read-counted.ts'
import { replaceArchive } from './replace-archive.ts'
import { removeLetters } from './remove-letters.ts'

const DATE_CONCURRENCY = 4
/** Memory taken by the visitor rows of an event, on both sides together. */
const BYTES_PER_EVENT = 2_000
const READ_BYTES_MAX = 100_000_000

/** The changes that make one date of the tables equal to its staged version. */
interface Correction {
  readonly counters: readonly CounterChange[]
  readonly missing: readonly VisitorChange[]
  readonly surplus: readonly VisitorChange[]
}

/**
 * Makes a lane's tables for readers equal to the staged ones, partition by partition. Counters and their watermark
 * change in one step. Missing visitors are inserted first; then those that no event accounts for are removed.
 * Interrupted anywhere, running it again completes it.
 */
export async function replaceLane(
  readers: Storage,
  staged: Storage,
  held: LaneLease,
  apps: readonly App[],
): Promise<void> {
  const { lane } = held.lease
  for (const app of apps) {
    const chunks = (
      await Promise.all(
        [readers, staged].map((each) =>
          each.archive!.list({ app: app.id, lane, from: 0, to: Number.MAX_SAFE_INTEGER }),
        ),
      )
    ).flat()
    const weights = eventsByDate(app, chunks)
    const corrections = readAhead(datesOf(app, chunks), (date) => correctionOf(readers, staged, lane, app.id, date), {
      concurrency: DATE_CONCURRENCY,
      bytesMax: READ_BYTES_MAX,
      bytesOf: (date) => (weights.get(date) ?? 0) * BYTES_PER_EVENT,
    })
    for await (const { counters, missing, surplus } of corrections) {
      if (counters.length > 0 || missing.length > 0) {
        await readers.writer.apply(held.lease, { ...emptyBatch, lane, counters, visitors: missing })
      }
      if (surplus.length > 0) await readers.writer.removeVisitors(held.lease, surplus)
    }
    await replaceArchive(readers.archive!, staged.archive!, held, app.id)
  }
  await removeLetters(readers, staged, held)
}

async function correctionOf(
  readers: Storage,
  staged: Storage,
  lane: number,
  app: string,
  date: string,
): Promise<Correction> {
  const partitions = counterTableNames.map((table) => ({ table, app, date }))
  const [present, recounted] = await Promise.all([readers, staged].map((each) => readCounted(each, lane, partitions)))
  const visitors = await Promise.all(
    visitorTableNames.map((table) => visitorsOf(readers, staged, lane, { table, app, date })),
  )
  return {
    counters: present!.flatMap((found, i) => counterChange(lane, found, recounted![i]!)),
    missing: visitors.map(({ missing }) => missing).filter(({ rows }) => rows.length > 0),
    surplus: visitors.map(({ surplus }) => surplus).filter(({ rows }) => rows.length > 0),
  }
}

function counterChange(lane: number, found: CountedPartition, recounted: CountedPartition): CounterChange[] {
  const rows = compareCounters(lane, found, recounted.rows).map(({ key, found: actual, expected }) => ({
    key,
    deltas: expected.map((value, i) => value - actual[i]!),
  }))
  return rows.length === 0 && found.applied === recounted.applied
    ? []
    : [{ ...found.partition, from: found.applied, to: recounted.applied, rows }]
}

async function visitorsOf(
  readers: Storage,
  staged: Storage,
  lane: number,
  partition: VisitorPartition,
): Promise<{ missing: VisitorChange; surplus: VisitorChange }> {
  const [present, recounted] = await Promise.all(
    [readers, staged].map(({ reader }) => reader.visitorPartition(lane, partition)),
  )
  const drift = compareVisitors(lane, partition, present!, recounted!, [])
  const rowsOf = (wanted: 'missing' | 'surplus'): VisitorChange => ({
    ...partition,
    rows: drift.flatMap(({ kind, key, visitor }) => (kind === wanted ? [{ key, visitor }] : [])),
  })
  return { missing: rowsOf('missing'), surplus: rowsOf('surplus') }
}

/**
 * Adds a day on either side, since some dates are in UTC, and continues up to today, since fates are dated by receipt.
 */
function datesOf({ timezone }: App, chunks: readonly ChunkSummary[]): string[] {
  const zone = timeZone(timezone)
  const oldest = chunks.reduce((least, { min_time }) => Math.min(least, min_time), Date.now())
  const newest = chunks.reduce((most, { max_time }) => Math.max(most, max_time), Date.now())
  return datesBetween(shiftDate(zone.dateOf(oldest), -2), shiftDate(zone.dateOf(newest), 2))
}

function eventsByDate({ timezone }: App, chunks: readonly ChunkSummary[]): Map<string, number> {
  const zone = timeZone(timezone)
  const events = new Map<string, number>()
  for (const { rows, min_time, max_time } of chunks) {
    const dates = datesBetween(zone.dateOf(min_time), zone.dateOf(max_time))
    for (const date of dates) events.set(date, (events.get(date) ?? 0) + Math.ceil(rows / dates.length))
  }
  return events
}
