import { setImmediate } from 'node:timers/promises'
import { shiftDate, utcDate, type ArchivedEvent } from '@hopper/contracts'
import { eventsOfChunk } from '@hopper/engine'
import {
  emptyBatch,
  type CounterChange,
  type CounterPartition,
  type CounterPartitionRow,
  type EventLog,
  type Lease,
} from '@hopper/storage'
import { CountedMessages, messagesBetween } from '../recount/counted-messages.ts'
import { foldArchivedFates } from '../recount/fold-archived.ts'
import { foldReceived } from '../recount/fold-message.ts'
import { Recount } from '../recount/recount.ts'
import { fetchColumns } from './forgotten-rows.ts'
import type { AppLane } from './forget-task.ts'
import type { CountedApp } from '../judge/judge.ts'
import { Postponed } from '../lane/postponed.ts'
import type { RewritableStore } from '../lane/rewritable-lane.ts'
import { counterDifferences } from '../recount/row-differences.ts'

const EVENTS_PER_FOLD = 5_000
/** Maximum time by which the timestamp of an event may be ahead of its receipt, with a margin. */
const AHEAD_MS = 2 * 86_400_000
/** Columns that determine the fate of an archived event, plus those that reading any row needs. */
const columns: ReadonlySet<string> = new Set(
  'runs device_id event_id timestamp seq position index received_at bot historical'.split(' '),
)
const archivedFates: ReadonlySet<unknown> = new Set(['accepted', 'late', 'bot'])

/** The sources of a recount of fates. */
interface FatesSource {
  readonly store: RewritableStore
  readonly log: EventLog
  readonly appLane: AppLane
  readonly folded: CountedApp
  readonly dates: ReadonlySet<string>
  readonly messages: CountedMessages
}

/** The dates and the scope of a recount. */
export interface RecountedFates {
  /** UTC dates of receipt */
  readonly received: readonly string[]
  /** false when the log has lost messages: duplicates and refused events stay as they are */
  readonly isWhole: boolean
  /** true: events that the archive no longer has count as expired, so that the sum of all fates stays */
  readonly expires?: boolean
}

/**
 * Makes the fates of the dates of receipt equal to their recount: accepted, late and bot from the archive, refused and
 * duplicate from the log. Those two stay as they are when the log has lost messages. May be run again at any time.
 * @throws Postponed while a batch is partly written
 */
export async function recountFates(
  store: RewritableStore,
  log: EventLog,
  appLane: AppLane,
  { received, isWhole, expires }: RecountedFates,
  folded: CountedApp,
): Promise<void> {
  const { lane } = appLane
  await withDifferences(store, log, appLane, { received, isWhole }, folded, async (lease, differences) => {
    for (const { deltas, ...partition } of differences) {
      const rows = expires === true ? withExpired(deltas) : deltas
      if (rows.length === 0) continue
      await store.writer.apply(lease, { ...emptyBatch, lane, counters: [{ ...partition, rows }] })
    }
  })
}

/**
 * Throws unless the fates of the dates of receipt count as many events as the archive has: otherwise, a recount
 * would also change fates that the caller's correction is not about.
 * @throws Postponed if they differ, or while a batch is partly written
 */
export async function assertWholeFates(
  store: RewritableStore,
  log: EventLog,
  appLane: AppLane,
  received: readonly string[],
  folded: CountedApp,
): Promise<void> {
  await withDifferences(store, log, appLane, { received, isWhole: false }, folded, async (_, differences) => {
    for (const { date, deltas } of differences) {
      const missing = deltas.reduce((sum, { deltas: [events = 0] }) => sum - events, 0)
      if (missing === 0) continue
      throw new Postponed(
        `the fates of what was received on ${date} and the archive differ by ${missing} events: ` +
          'run "hopper audit --repair"',
      )
    }
  })
}

/** Differences between the fates of a date of receipt and their recount, as a change at the present watermark. */
interface FatesDifference extends Pick<CounterChange, 'table' | 'app' | 'date' | 'from' | 'to'> {
  readonly deltas: ReturnType<typeof counterDifferences>
}

/**
 * Compares the fates of dates of receipt with their recount, and uses the differences before other batches continue.
 */
async function withDifferences(
  store: RewritableStore,
  log: EventLog,
  appLane: AppLane,
  { received, isWhole }: Pick<RecountedFates, 'received' | 'isWhole'>,
  folded: CountedApp,
  use: (lease: Lease, differences: readonly FatesDifference[]) => Promise<void>,
): Promise<void> {
  const { app, owned, lane } = appLane
  const dates = new Set(received)
  if (dates.size === 0) return
  const messages = await CountedMessages.of(store, lane, async (id) => (id === app.id ? folded : undefined))
  const source: FatesSource = { store, log, appLane, folded, dates, messages }
  const expected = new Recount()
  const from = owned.committed
  if (isWhole) await addReceived(source, expected, 0, from)
  await addArchived(source, expected, 0, from)
  const partitions = [...dates].map((date) => ({ table: 'fates_by_date' as const, app: app.id, date }))
  await owned.exclusively(async (lease) => {
    await setImmediate()
    const applied = await store.writer.applied(lane, partitions)
    if (applied.some((position) => position >= from)) {
      const { position: before } = await owned.archive()
      if (applied.some((position) => position >= before)) throw new Postponed('a batch is being counted')
      if (isWhole) await addReceived(source, expected, from, before)
      await addArchived(source, expected, from, before)
    }
    const compared = ({ key }: CounterPartitionRow): boolean => isWhole || archivedFates.has(key[0])
    const differences: FatesDifference[] = []
    for (const [index, partition] of partitions.entries()) {
      const found = (await store.reader.counterPartition(lane, partition)).filter(compared)
      const deltas = counterDifferences(found, expected.counters(partition).filter(compared))
      differences.push({ ...partition, from: applied[index]!, to: applied[index]!, deltas })
    }
    await use(lease, differences)
  })
}

/**
 * Adds the fate `expired` for the events that the tables count and the archive no longer has. The opposite, events in
 * the archive that the tables do not count, is left to the audit.
 */
function withExpired(deltas: ReturnType<typeof counterDifferences>): ReturnType<typeof counterDifferences> {
  const gone = deltas.reduce((sum, { deltas: [events = 0] }) => sum - events, 0)
  return gone > 0 ? [...deltas, { key: ['rejected', 'expired'], deltas: [gone] }] : []
}

async function addReceived(
  { log, appLane, dates, messages }: FatesSource,
  recount: Recount,
  from: number,
  to: number,
): Promise<void> {
  for await (const batch of messagesBetween(log, appLane.lane, from, to)) {
    for (const message of batch) {
      const read = await messages.read(message)
      if (read && dates.has(utcDate(read.envelope.received_at)))
        recount.add({ counters: foldReceived([read]), visitors: [] })
    }
    await setImmediate()
  }
}

/** Adds the archived events between two positions that were received on one of the dates. */
async function addArchived(
  { store: { archive }, appLane: { app, lane }, folded, dates }: FatesSource,
  recount: Recount,
  from: number,
  before: number,
): Promise<void> {
  const isOfDates = ({ date }: CounterPartition): boolean => dates.has(date)
  const last = [...dates].sort().at(-1)!
  const range = { from: 0, to: Date.parse(shiftDate(last, 1)) + AHEAD_MS }
  for (const summary of await archive.list({ app: app.id, lane, ...range })) {
    if (summary.first_position >= before || summary.last_position < from) continue
    const names = Object.keys(summary.columns).filter((name) => columns.has(name))
    const needed = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
    const chunk = await fetchColumns(archive, { ...summary, columns: needed }, names)
    let events: ArchivedEvent[] = []
    const add = (): void => {
      const { counters } = foldArchivedFates(folded, events)
      recount.add({ counters: counters.filter(isOfDates), visitors: [] })
      events = []
    }
    for (const event of eventsOfChunk(chunk, range)) {
      if (event.position >= from && event.position < before) events.push(event)
      if (events.length >= EVENTS_PER_FOLD) add()
    }
    add()
    await setImmediate()
  }
}
