import { foldArchivedFates, foldReceived, Recount } from '@hopper/aggregator'
import { receivedFrom, shiftDate, type App, type RejectReason } from '@hopper/contracts'
import type { CounterPartitionRow } from '@hopper/storage'
import { compareCounters } from './compare.ts'
import { comparedOf, type Compared } from './drift.ts'
import type { LaneSource } from './lane-source.ts'
import { readCounted, Watermarks } from './read-counted.ts'

/** Maximum time by which an event's timestamp may be ahead of its receipt, with a margin. */
const AHEAD_MS = 2 * 86_400_000
/** Columns that determine the fate of an archived event, plus those that reading any row needs. */
const columns: ReadonlySet<string> = new Set([
  'runs',
  'device_id',
  'event_id',
  'timestamp',
  'seq',
  'position',
  'index',
  'received_at',
  'bot',
  'historical',
])
const EXPIRED = 'expired' satisfies RejectReason
const archivedFates: ReadonlySet<unknown> = new Set(['accepted', 'late', 'bot'])

/**
 * Facts about a lane's fates before a position that only the log has: the event count and the refusals of every app.
 */
export interface Received {
  readonly before: number
  readonly recount: Recount
}

/** Counts the messages that a lane has received; undefined when the log has lost its first messages. */
export async function countReceived(source: LaneSource): Promise<Received | undefined> {
  const before = await source.committed()
  const [first] = await source.storage.log.read(source.lane, 0, 1)
  if (first && first.position > 0) return undefined
  const recount = new Recount()
  for await (const messages of source.messages(0, before))
    recount.add({ counters: foldReceived(messages), visitors: [] })
  return { before, recount }
}

/**
 * Compares one lane's `fates_by_date` on these dates (of receipt, UTC) with a recount. The archive contains neither
 * duplicates nor refused events, so without `received` these two fates are skipped.
 */
export async function auditFates(
  source: LaneSource,
  app: App,
  dates: readonly string[],
  received: Received | undefined,
): Promise<Compared> {
  const before = received?.before ?? (await source.committed())
  const counted = await readCounted(
    source.storage,
    source.lane,
    dates.map((date) => ({ table: 'fates_by_date' as const, app: app.id, date })),
  )
  const expected = new Recount()
  for (const { partition } of counted) if (received) expected.addRows(partition, received.recount.counters(partition))
  const range = { from: 0, to: Date.parse(shiftDate(dates.at(-1)!, 1)) + AHEAD_MS }
  for await (const events of source.archived(app, range, before, (column) => columns.has(column)))
    expected.add(foldArchivedFates(app, events))
  const watermarks = new Watermarks(counted)
  for await (const { position, folded } of source.folded(before, watermarks.highest + 1)) {
    expected.add({
      counters: folded.counters.filter((partition) => position <= watermarks.of(partition)),
      visitors: [],
    })
  }
  const compared = ({ key }: { readonly key: readonly unknown[] }): boolean =>
    received !== undefined || archivedFates.has(key[0])
  const kept = counted.filter(({ partition }) => partition.date >= receivedFrom(app))
  const drift = kept.flatMap((found) => {
    const wanted = expected.counters(found.partition)
    // Before its event expired, a repetition was counted as a duplicate; a recount counts it as expired. So both are
    // added up.
    const rows = [found.rows, wanted].map((each) =>
      (hasExpired(wanted) ? withoutRepetitions(each) : each).filter(compared),
    )
    return compareCounters(source.lane, { ...found, rows: rows[0]! }, rows[1]!)
  })
  const filled = kept.filter(({ rows }) => rows.length > 0).map(({ partition }) => partition)
  return comparedOf(filled, drift)
}

function hasExpired(rows: readonly CounterPartitionRow[]): boolean {
  return rows.some(({ key }) => key[1] === EXPIRED)
}

/** Adds up duplicates and expired events. */
function withoutRepetitions(rows: readonly CounterPartitionRow[]): CounterPartitionRow[] {
  const [both, others] = [rows.filter(isRepetition), rows.filter((row) => !isRepetition(row))]
  const events = both.reduce((sum, { counters }) => sum + counters[0]!, 0)
  return events === 0 ? others : [...others, { key: ['rejected', EXPIRED], counters: [events] }]
}

function isRepetition({ key }: CounterPartitionRow): boolean {
  return key[0] === 'duplicate' || key[1] === EXPIRED
}
