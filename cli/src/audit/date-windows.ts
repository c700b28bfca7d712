import type { ChunkSummary, TimeZone } from '@hopper/contracts'
import { shiftDate } from '@hopper/contracts'

/** Maximum number of archived rows whose recount is held in memory at a time. */
const WINDOW_ROWS = 150_000

/** Cuts a range of dates into runs of about as many archived rows as fit in memory. A date is never cut. */
export function dateWindows(dates: readonly string[], zone: TimeZone, chunks: readonly ChunkSummary[]): string[][] {
  const rows = new Map(dates.map((date) => [date, 0]))
  for (const chunk of chunks)
    for (const [date, share] of sharesOf(chunk, zone)) if (rows.has(date)) rows.set(date, rows.get(date)! + share)
  const windows: string[][] = []
  let rowsInWindow = Infinity
  for (const date of dates) {
    rowsInWindow += rows.get(date)!
    if (rowsInWindow > WINDOW_ROWS) {
      windows.push([])
      rowsInWindow = rows.get(date)!
    }
    windows.at(-1)!.push(date)
  }
  return windows
}

/** Spreads the rows of a chunk evenly over the dates that it covers. */
function sharesOf({ rows, min_time, max_time }: ChunkSummary, zone: TimeZone): [string, number][] {
  const last = zone.dateOf(max_time)
  const dates: string[] = []
  for (let date = zone.dateOf(min_time); date <= last; date = shiftDate(date, 1)) dates.push(date)
  return dates.map((date) => [date, Math.ceil(rows / dates.length)])
}
