import { setImmediate } from 'node:timers/promises'
import {
  addChanges,
  backfillId,
  shiftDate,
  stagesDefinition,
  timeZone,
  type ArchivedEvent,
  type ForgetPart,
  type Funnel,
  type StageGroup,
  type TableChanges,
} from '@hopper/contracts'
import {
  counterTableNames,
  counterTables,
  emptyBatch,
  visitorTableNames,
  type CounterPartitionRow,
  type LaneBatch,
  type Registry,
  type VisitorChange,
} from '@hopper/storage'
import { eventsOfChunk } from '@hopper/engine'
import { addPastOf } from '../backfill/stages-of-date.ts'
import { isMark } from '../backfill/write-stages.ts'
import { isCounted } from '../judge/judge.ts'
import { foldArchived, judgeArchived } from '../recount/fold-archived.ts'
import { Recount } from '../recount/recount.ts'
import { counterDifferences, rowsWithout } from '../recount/row-differences.ts'
import { fetchColumns } from './forgotten-rows.ts'
import type { AppLane, SavePart } from './forget-task.ts'
import type { CountedApp } from '../judge/judge.ts'
import { Postponed } from '../lane/postponed.ts'
import type { RewritableStore } from '../lane/rewritable-lane.ts'

const EVENTS_PER_FOLD = 2_000
/** Columns that feed no table. */
const unused = /^(data|utm_|spilled)/

/** Counter tables whose dates are dates of the app. */
const datedTables = counterTableNames.filter((table) => table !== 'fates_by_date')

/** Changes that make the tables of a date equal to its recount. */
interface DateCorrection {
  readonly counters: LaneBatch['counters']
  readonly missing: readonly VisitorChange[]
  readonly surplus: readonly VisitorChange[]
}

/** A date of a lane. */
export interface RecountedDate extends AppLane {
  readonly date: string
  readonly folded: CountedApp
}

/** A date of a lane, and how many of its events were forgotten. */
interface ForgottenDate extends RecountedDate {
  readonly forgotten: number
}

/** Tables, archive and registry of a recount. */
export type RecountedStore = RewritableStore & { readonly registry: Registry }

/**
 * Makes the tables of a date equal to a recount from the archive, once some of its events were forgotten. Before it
 * changes the tables, it stores the date and the numbers that it will subtract.
 * @throws Postponed while a batch is partly written, or the past of a funnel is counted
 */
export async function recountForgotten(
  store: RecountedStore,
  target: ForgottenDate,
  part: ForgetPart,
  save: SavePart,
): Promise<ForgetPart> {
  const { date } = target
  let changed = part
  await recountDate(store, target, async (correction, expected) => {
    await assertOnlyForgottenDiffer(store, target, expected)
    if (part.correcting === date) return
    const tables = addChanges(part.tally.tables, changesOf(correction))
    changed = { ...part, correcting: date, tally: { ...part.tally, tables } }
    await save(changed)
  })
  return changed
}

/**
 * Makes the tables of a date equal to a recount from the archive. The archive is read while batches continue; events
 * that arrive in the meantime are read while batches wait. Each run starts from the current state of the tables, so it
 * may be interrupted anywhere. `before` is called before the tables are changed.
 * @throws Postponed while a batch is partly written, or the past of a funnel is counted
 */
export async function recountDate(
  store: RecountedStore,
  target: RecountedDate,
  before: (correction: DateCorrection, expected: Recount) => Promise<void> = async () => undefined,
): Promise<void> {
  const { app, owned, lane, date } = target
  const funnels = await countedFunnels(store.registry, app.id, lane)
  const from = owned.committed
  const expected = new Recount()
  await addArchived(store, target, expected, { from: 0, before: from })
  const range = rangeOf(target)
  for (const funnel of funnels) await addPastOf(expected, { archive: store.archive, app, lane, date, range }, funnel)
  await owned.exclusively(async (lease) => {
    // Lets the writer of the last batch update the position of the lane first.
    await setImmediate()
    const applied = await store.writer.applied(
      lane,
      datedTables.map((table) => ({ table, app: app.id, date })),
    )
    if (applied.some((position) => position >= from)) {
      const { position: reached } = await owned.archive()
      if (applied.some((position) => position >= reached)) throw new Postponed('a batch is being counted')
      await addArchived(store, target, expected, { from, before: reached })
    }
    const correction = await correctionOf(store, target, expected, applied)
    await before(correction, expected)
    owned.clearVisitorCache()
    const { counters, missing, surplus } = correction
    if (counters.length > 0 || missing.length > 0)
      await store.writer.apply(lease, { ...emptyBatch, lane, counters, visitors: missing })
    if (surplus.length > 0) await store.writer.removeVisitors(lease, surplus)
    await store.writer.removeEmptyCounters?.(lease, { app: app.id, date })
  })
}

/**
 * Throws unless the tables of a date count exactly what the archive has: otherwise, a recount would
 * also change numbers that the caller's correction is not about.
 * @throws Postponed if they differ
 */
export async function assertWholeDate(store: RewritableStore, target: RecountedDate): Promise<void> {
  const { app, date, lane, owned } = target
  const compare = async (): Promise<void> => {
    const [archived, counted] = [await countedEvents(store, target), await tableEvents(store, target)]
    if (archived === counted) return
    throw new Postponed(
      `the tables count ${counted} events on ${date} and the archive has ${archived}: run "hopper audit --repair"`,
    )
  }
  const from = owned.committed
  const activity = { table: 'activity_by_date' as const, app: app.id, date }
  const [applied = -1] = await store.writer.applied(lane, [activity])
  if (applied < from) return compare()
  // Events of this date are being counted.
  return owned.exclusively(async () => {
    await owned.archive()
    await compare()
  })
}

/** Returns the number of events of a date that the archive has and the tables count. */
async function countedEvents(store: RewritableStore, target: RecountedDate): Promise<number> {
  let events = 0
  for await (const batch of archivedOfDate(store, target, { from: 0, before: Infinity }))
    events += batch.filter((event) => isCounted(judgeArchived(target.folded, event))).length
  return events
}

/** Returns the number of events of a date that the tables have counted. */
async function tableEvents(
  { reader }: RewritableStore,
  { app, lane, date }: Pick<RecountedDate, 'app' | 'lane' | 'date'>,
): Promise<number> {
  return eventsIn(await reader.counterPartition(lane, { table: 'activity_by_date', app: app.id, date }))
}

/**
 * Throws unless the tables count either exactly the archived events, or these and the forgotten ones: any other
 * difference is damage.
 */
async function assertOnlyForgottenDiffer(
  store: RewritableStore,
  target: ForgottenDate,
  expected: Recount,
): Promise<void> {
  const surplus =
    (await tableEvents(store, target)) -
    eventsIn(expected.counters({ table: 'activity_by_date', app: target.app.id, date: target.date }))
  if (surplus === 0 || surplus === target.forgotten) return
  throw new Postponed(
    `the tables of ${target.date} and the archive differ by ${surplus} events, not by the ` +
      `${target.forgotten} forgotten ones: run "hopper audit --repair"`,
  )
}

/** Funnels with the stages whose past is counted. */
async function countedFunnels(
  registry: Registry,
  app: string,
  lane: number,
): Promise<{ readonly funnel: Funnel; readonly groups: readonly StageGroup[] }[]> {
  const found = []
  for (const funnel of await registry.funnels.list(app)) {
    const state = await registry.backfills.get(app, backfillId({ funnel: funnel.id, lane }))
    const { groups = [], counted = 0, definition = stagesDefinition(funnel.stages) } = state ?? {}
    if (definition !== stagesDefinition(funnel.stages) || counted < groups.length)
      throw new Postponed(`the past of funnel ${funnel.id} is being counted`)
    found.push({ funnel, groups })
  }
  return found
}

async function addArchived(
  store: RewritableStore,
  target: RecountedDate,
  recount: Recount,
  positions: { readonly from: number; readonly before: number },
): Promise<void> {
  for await (const events of archivedOfDate(store, target, positions)) recount.add(foldArchived(target.folded, events))
}

/** Yields the archived events of a date between two positions, in batches, without their free-form properties. */
async function* archivedOfDate(
  { archive }: RewritableStore,
  target: RecountedDate,
  { from, before }: { readonly from: number; readonly before: number },
): AsyncGenerator<ArchivedEvent[]> {
  const range = rangeOf(target)
  for (const summary of await archive.list({ app: target.app.id, lane: target.lane, ...range })) {
    if (summary.first_position >= before || summary.last_position < from) continue
    const names = Object.keys(summary.columns).filter((name) => !unused.test(name))
    const columns = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
    const chunk = await fetchColumns(archive, { ...summary, columns }, names)
    let events: ArchivedEvent[] = []
    for (const event of eventsOfChunk(chunk, range)) {
      if (event.position >= from && event.position < before) events.push(event)
      if (events.length < EVENTS_PER_FOLD) continue
      yield events
      events = []
      await setImmediate()
    }
    yield events
  }
}

function rangeOf({ app, date }: Pick<RecountedDate, 'app' | 'date'>): { from: number; to: number } {
  const zone = timeZone(app.timezone)
  return { from: zone.startOf(date), to: zone.startOf(shiftDate(date, 1)) }
}

async function correctionOf(
  { reader }: RewritableStore,
  { app, lane, date }: RecountedDate,
  expected: Recount,
  applied: readonly number[],
): Promise<DateCorrection> {
  const counters: LaneBatch['counters'][number][] = []
  for (const [i, table] of datedTables.entries()) {
    const partition = { table, app: app.id, date }
    const found = (await reader.counterPartition(lane, partition)).filter(
      ({ key }) => table !== 'stage_time_by_date' || !isMark(key),
    )
    const rows = counterDifferences(found, expected.counters(partition))
    if (rows.length > 0) counters.push({ ...partition, from: applied[i]!, to: applied[i]!, rows })
  }
  const [missing, surplus]: [VisitorChange[], VisitorChange[]] = [[], []]
  for (const table of visitorTableNames) {
    const partition = { table, app: app.id, date }
    const [actual, wanted] = [await reader.visitorPartition(lane, partition), expected.visitors(partition)]
    missing.push({ ...partition, rows: rowsWithout(wanted, actual) })
    surplus.push({ ...partition, rows: rowsWithout(actual, wanted) })
  }
  const isEffective = ({ rows }: VisitorChange): boolean => rows.length > 0
  return { counters, missing: missing.filter(isEffective), surplus: surplus.filter(isEffective) }
}

function eventsIn(rows: readonly CounterPartitionRow[]): number {
  return rows.reduce((sum, { counters }) => sum + counters[0]!, 0)
}

/** Returns the numbers by which a correction reduces the tables. */
function changesOf({ counters, surplus }: DateCorrection): TableChanges {
  const changes: Record<string, Record<string, number>> = {}
  const reduce = (table: string, name: string, by: number): void => {
    const ofTable = (changes[table] ??= {})
    ofTable[name] = (ofTable[name] ?? 0) + by
  }
  for (const { table, rows } of counters) {
    for (const { deltas } of rows) counterTables[table].counters.forEach((name, i) => reduce(table, name, -deltas[i]!))
  }
  for (const { table, rows } of surplus) reduce(table, 'rows', rows.length)
  return changes
}
