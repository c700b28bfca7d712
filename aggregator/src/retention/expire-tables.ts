import { setImmediate as pause } from 'node:timers/promises'
import { receivedFrom, shiftDate, type RetentionPart } from '@hopper/contracts'
import type { ExpiredTables, TableWriter } from '@hopper/storage'
import type { RetentionTask } from './retention-task.ts'

/**
 * Number of dates before `expired_to`, where the last run ended, that are removed again: dates of receipt differ from
 * dates of events by one.
 */
const OVERLAP_DAYS = 2

/** Removes the tables of every expired date of a lane. May be interrupted anywhere and run again. */
export async function expireTables(
  writer: TableWriter,
  task: RetentionTask,
  part: RetentionPart,
): Promise<RetentionPart> {
  const { app, lane } = task
  const from = part.expired_to === undefined ? '' : shiftDate(part.expired_to, -OVERLAP_DAYS)
  const [counted, received] = [app.kept_from, receivedFrom(app)]
  const dates = await writer.datesOf(lane, app.id, from, counted)
  for (const date of dates) {
    await expireDate(writer, task, date, 'counted')
    if (date < received) await expireDate(writer, task, date, 'received')
  }
  return { ...part, tally: { ...part.tally, dates: dates.length } }
}

async function expireDate(
  writer: TableWriter,
  { app, owned, assertOwned }: RetentionTask,
  date: string,
  tables: ExpiredTables,
): Promise<void> {
  for (let more = true; more;) {
    assertOwned()
    more = await writer.expire(owned.currentLease(), { app: app.id, date }, tables)
    await pause()
  }
}
