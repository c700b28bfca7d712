import {
  emptyBatch,
  type Key,
  type Lease,
  type Partition,
  type TableReader,
  type TableWriter,
  type VisitorChange,
} from '@hopper/storage'
import type { Recount } from '../recount/recount.ts'
import { counterDifferences, rowsWithout } from '../recount/row-differences.ts'

/** Partition and lane of the rows of a funnel. */
export interface FunnelPartition extends Partition {
  readonly lane: number
  readonly funnel: string
}

/** Tables that are read and written here. */
export interface StageTables {
  readonly reader: TableReader
  readonly writer: TableWriter
}

/** Changes that bring the tables of stages in line with a recount. */
export interface StageCorrection {
  readonly missing: readonly VisitorChange[]
  readonly surplus: readonly VisitorChange[]
  readonly times: readonly { readonly key: Key; readonly deltas: readonly number[] }[]
}

/**
 * Stages have no negative ids. Rows of `stage_time_by_date` with a stage of this or less are marks: earlier versions
 * noted with them which past was counted. Corrections no longer need them.
 */
const FIRST_MARK = -2
const visitorTables = ['stage_users_by_date', 'stage_edges_by_date'] as const

/** True for a row of `stage_time_by_date` that belongs to no stage. */
export function isMark(key: Key): boolean {
  return Number(key[1]) <= FIRST_MARK
}

/** Returns whether a correction changes nothing. */
export function isEmpty({ missing, surplus, times }: StageCorrection): boolean {
  return missing.length === 0 && surplus.length === 0 && times.length === 0
}

/** Part of a correction that removes nothing. */
export function withoutRemovals({ missing, times }: StageCorrection): StageCorrection {
  return { missing, surplus: [], times: times.filter(({ deltas }) => deltas.every((delta) => delta >= 0)) }
}

/** Number of events that the tables have counted on a date. */
export async function countedEvents({ reader }: StageTables, { app, date, lane }: FunnelPartition): Promise<number> {
  const rows = await reader.counterPartition(lane, { table: 'activity_by_date', app, date })
  return rows.reduce((sum, { counters }) => sum + counters[0]!, 0)
}

/** Compares the visitors of a funnel on a date with a recount. */
export async function visitorCorrection(
  { reader }: StageTables,
  { app, date, lane, funnel }: FunnelPartition,
  recount: Recount,
): Promise<Omit<StageCorrection, 'times'>> {
  const missing: VisitorChange[] = []
  const surplus: VisitorChange[] = []
  for (const table of visitorTables) {
    const partition = { table, app, date }
    const found = (await reader.visitorPartition(lane, partition)).filter(({ key }) => key[0] === funnel)
    missing.push({ ...partition, rows: rowsWithout(recount.visitors(partition), found) })
    surplus.push({ ...partition, rows: rowsWithout(found, recount.visitors(partition)) })
  }
  return { missing: withRows(missing), surplus: withRows(surplus) }
}

/** Rows that a recount does not account for. */
export function surplusRows(changes: readonly VisitorChange[], recount: Recount): VisitorChange[] {
  return withRows(changes.map((change) => ({ ...change, rows: rowsWithout(change.rows, recount.visitors(change)) })))
}

/** Compares the stage times of a funnel on a date with a recount. */
export async function timeCorrection(
  { reader }: StageTables,
  { app, date, lane, funnel }: FunnelPartition,
  recount: Recount,
): Promise<StageCorrection['times']> {
  const partition = { table: 'stage_time_by_date' as const, app, date }
  const found = (await reader.counterPartition(lane, partition)).filter(({ key }) => key[0] === funnel && !isMark(key))
  return counterDifferences(found, recount.counters(partition))
}

function withRows(changes: readonly VisitorChange[]): VisitorChange[] {
  return changes.filter(({ rows }) => rows.length > 0)
}

/**
 * Corrects the tables, as the owner of the lane and while no batch is being written. Each step depends on the current
 * content of the tables, so the correction may be interrupted anywhere and retried. The watermark does not move.
 */
export async function applyCorrection(
  { writer }: StageTables,
  lease: Lease,
  { app, date, lane }: FunnelPartition,
  correction: StageCorrection,
): Promise<void> {
  const { missing, surplus, times } = correction
  if (missing.length > 0) await writer.apply(lease, { ...emptyBatch, lane, visitors: missing })
  if (surplus.length > 0) await writer.removeVisitors(lease, surplus)
  if (times.length === 0) return
  const partition = { table: 'stage_time_by_date' as const, app, date }
  const [applied] = await writer.applied(lane, [partition])
  await writer.apply(lease, {
    ...emptyBatch,
    lane,
    counters: [{ ...partition, from: applied!, to: applied!, rows: times }],
  })
}
