import type { Key, LaneBatch, Lease, Partition, TableReader, TableWriter } from '@hopper/storage'
import type { PastChanges } from './past-entries.ts'

/** Where the past of stages goes. */
export interface PastPlace extends Partition {
  readonly funnel: string
  readonly stages: readonly number[]
}

/**
 * No stage has a negative id: below this a row of `stage_time_by_date` marks that the past of a stage is in its
 * partition.
 */
const FIRST_MARK = -2
const nothing: Omit<LaneBatch, 'lane'> = {
  counters: [],
  visitors: [],
  seen: [],
  identities: [],
  sessions: [],
  deadLetters: [],
}

/** Whether a row of `stage_time_by_date` is no stage's, but says that the past of one is counted. */
export function isMark(key: Key): boolean {
  return Number(key[1]) <= FIRST_MARK
}

/**
 * Writes what the past of a date adds for some stages of a funnel, as the owner of the lane and while no batch is
 * being written. Visitors are sets. Counters change
 * together with a mark, in the one atomic step that a partition has, and not when the mark is there: so it is counted
 * once, however often it is written and
 * wherever it is cut. The watermark stays where it is.
 */
export async function writePast(
  { reader, writer }: { readonly reader: TableReader; readonly writer: TableWriter },
  lease: Lease,
  { app, date, funnel, stages }: PastPlace,
  { visitors, times }: PastChanges,
): Promise<void> {
  const { lane } = lease
  if (visitors.length > 0) await writer.apply(lease, { ...nothing, lane, visitors })
  if (times.length === 0) return
  const partition = { table: 'stage_time_by_date' as const, app, date }
  const marks = new Set(stages.map((stage) => FIRST_MARK - stage))
  const found = await reader.counterPartition(lane, partition)
  // A rebuild sets a mark back to zero, and Cassandra keeps the row of such a counter.
  if (found.some(({ key, counters }) => key[0] === funnel && marks.has(Number(key[1])) && counters[1]! > 0)) return
  const [applied] = await writer.applied(lane, [partition])
  const marked = [...marks].map((mark) => ({ key: [funnel, mark], deltas: [0, 1] }))
  await writer.apply(lease, {
    ...nothing,
    lane,
    counters: [{ ...partition, from: applied!, to: applied!, rows: [...times, ...marked] }],
  })
}
