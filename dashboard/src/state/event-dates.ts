import type { Traffic } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { dateIn, shiftDate, type DateRange } from './date-range.ts'
import { useScope } from './scope.tsx'

/** Number of past days in which to look for events. */
const DAYS = 1_095

/** Returns the first and last date with events; null if there are none, undefined until this is known. */
export function useEventDates(): DateRange | null | undefined {
  const { app, today } = useScope()
  const path = reportPath(app.id, 'traffic', { from: shiftDate(today, 1 - DAYS), to: today }, { by: 'day' })
  const { data } = useReport<Traffic>(path, true)
  if (!data) return undefined
  const dates = data.rows.filter(({ events }) => events > 0).map(({ time }) => dateIn(app.timezone, Date.parse(time)))
  return dates.length === 0 ? null : { from: dates[0]!, to: dates.at(-1)! }
}
