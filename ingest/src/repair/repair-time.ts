import { instantOf } from '../batch/instant.ts'
import type { RecordChange } from './repair-value.ts'

const number = /^\s*[+-]?\d{1,20}(\.\d{1,20})?\s*$/
/** Date, or date and time of day, in the order of ISO 8601 or with the space of SQL, with or without a time zone. */
const dateTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i

/**
 * Reads a time in a form other than the documented one, in ms since the epoch; undefined when it is ambiguous or not a
 * time.
 */
export function repairTime(sent: unknown, record: RecordChange): number | undefined {
  if (typeof sent === 'number') return roundTime(sent, record)
  if (typeof sent !== 'string') return undefined
  if (number.test(sent)) {
    record('made_number')
    return roundTime(Number(sent), record)
  }
  const [, date, time, zone] = dateTime.exec(sent.trim()) ?? []
  if (date === undefined) return undefined
  const offset = zone === undefined ? 'Z' : offsetOf(zone)
  const instant = instantOf(`${date}T${clockOf(time)}${offset}`)
  if (zone === undefined && instant !== undefined) record('utc_assumed')
  return instant !== undefined && isInCalendar(date) ? instant : undefined
}

function roundTime(sent: number, record: RecordChange): number {
  if (Number.isFinite(sent) && !Number.isInteger(sent)) record('rounded')
  return Math.round(sent)
}

function clockOf(time = '00:00:00'): string {
  return time.length === 5 ? `${time}:00` : time.replace(',', '.')
}

function offsetOf(zone: string): string {
  if (zone.toUpperCase() === 'Z') return 'Z'
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  return `${zone[0]!}${digits.slice(0, 2)}:${digits.slice(2)}`
}

/** Rejects impossible dates: `Date.parse` takes the 30th of February for the 2nd of March. */
function isInCalendar(date: string): boolean {
  const midnight = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date)
}
