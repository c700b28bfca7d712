import type { Key, LaneBatch, Lease, Partition, TableReader, TableWriter, VisitorChange } from '@hopper/storage'
import type { Recount } from '../recount/recount.ts'
import { rowKey } from '../row-key.ts'
import { visitorRowKey } from '../visitor-rows.ts'

/** Where the rows of a funnel are. */
export interface StagesPlace extends Partition {
  readonly lane: number
  readonly funnel: string
}

/** The tables, as far as they are read and written here. */
export interface StageTables {
  readonly reader: TableReader
  readonly writer: TableWriter
}

/** What makes the tables of stages hold what was recounted. */
export interface StageCorrection {
  readonly missing: readonly VisitorChange[]
  readonly surplus: readonly VisitorChange[]
  readonly times: readonly { readonly key: Key; readonly deltas: readonly number[] }[]
}

/**
 * No stage has a negative id: rows of `stage_time_by_date` below this marked which past was counted before corrections
 * told that by themselves.
 */
const FIRST_MARK = -2
const visitorTables = ['stage_users_by_date', 'stage_edges_by_date'] as const
const nothing: Omit<LaneBatch, 'lane'> = {
  counters: [],
  visitors: [],
  seen: [],
  identities: [],
  sessions: [],
  deadLetters: [],
}

/** Whether a row of `stage_time_by_date` is no stage's. */
export function isMark(key: Key): boolean {
  return Number(key[1]) <= FIRST_MARK
}

export function isEmpty({ missing, surplus, times }: StageCorrection): boolean {
  return missing.length === 0 && surplus.length === 0 && times.length === 0
}

/** What of a correction takes nothing away. */
export function onlyAdding({ missing, times }: StageCorrection): StageCorrection {
  return { missing, surplus: [], times: times.filter(({ deltas }) => deltas.every((delta) => delta >= 0)) }
}

/** How many events the tables have counted on a date. */
export async function eventsOf({ reader }: StageTables, { app, date, lane }: StagesPlace): Promise<number> {
  const rows = await reader.counterPartition(lane, { table: 'activity_by_date', app, date })
  return rows.reduce((sum, { counters }) => sum + counters[0]!, 0)
}

/** Compares what the tables hold of a funnel on a date with a recount. */
export async function correctionOf(
  { reader }: StageTables,
  { app, date, lane, funnel }: StagesPlace,
  recount: Recount,
): Promise<StageCorrection> {
  const visitors = await Promise.all(
    visitorTables.map(async (table) => {
      const partition = { table, app, date }
      const found = (await reader.visitorPartition(lane, partition)).filter(({ key }) => key[0] === funnel)
      const expected = recount.visitors(partition)
      const [is, shall] = [found, expected].map((rows) => new Set(rows.map(visitorRowKey))) as [
        Set<string>,
        Set<string>,
      ]
      return {
        missing: { ...partition, rows: expected.filter((row) => !is.has(visitorRowKey(row))) },
        surplus: { ...partition, rows: found.filter((row) => !shall.has(visitorRowKey(row))) },
      }
    }),
  )
  const partition = { table: 'stage_time_by_date' as const, app, date }
  const found = (await reader.counterPartition(lane, partition)).filter(({ key }) => key[0] === funnel && !isMark(key))
  const is = new Map(found.map(({ key, counters }) => [rowKey(key), counters]))
  const shall = new Map(recount.counters(partition).map(({ key, counters }) => [rowKey(key), { key, counters }]))
  for (const { key, counters } of found)
    if (!shall.has(rowKey(key))) shall.set(rowKey(key), { key, counters: counters.map(() => 0) })
  const times = [...shall].map(([id, { key, counters }]) => ({
    key,
    deltas: counters.map((value, at) => value - (is.get(id)?.[at] ?? 0)),
  }))
  return {
    missing: visitors.map(({ missing }) => missing).filter(({ rows }) => rows.length > 0),
    surplus: visitors.map(({ surplus }) => surplus).filter(({ rows }) => rows.length > 0),
    times: times.filter(({ deltas }) => deltas.some((delta) => delta !== 0)),
  }
}

/**
 * Corrects the tables, as the owner of the lane and while no batch is being written. Each step depends on what the
 * tables hold, so it may be cut anywhere and done again; the watermark stays where it is.
 */
export async function correct(
  { writer }: StageTables,
  lease: Lease,
  { app, date, lane }: StagesPlace,
  correction: StageCorrection,
): Promise<void> {
  const { missing, surplus, times } = correction
  if (missing.length > 0) await writer.apply(lease, { ...nothing, lane, visitors: missing })
  if (surplus.length > 0) await writer.removeVisitors(lease, surplus)
  if (times.length === 0) return
  const partition = { table: 'stage_time_by_date' as const, app, date }
  const [applied] = await writer.applied(lane, [partition])
  await writer.apply(lease, {
    ...nothing,
    lane,
    counters: [{ ...partition, from: applied!, to: applied!, rows: times }],
  })
}
