import { isDate } from './date-range.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * Reads a date as people type it: 2026-01-31, 31.1.2026, 31 Jan 2026. Undefined for a text that is not a date or is
 * ambiguous.
 */
export function readTypedDate(text: string): string | undefined {
  const typed = text.trim()
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(typed)
  if (iso) return dateOf(iso[1]!, iso[2]!, iso[3]!)
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(typed)
  if (dotted) return dateOf(dotted[3]!, dotted[2]!, dotted[1]!)
  const named = /^(\d{1,2})\.? ([a-z]{3})[a-z]*\.? (\d{4})$/i.exec(typed)
  return named ? dateOf(named[3]!, String(months.indexOf(named[2]!.toLowerCase()) + 1), named[1]!) : undefined
}

function dateOf(year: string, month: string, day: string): string | undefined {
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  return isDate(date) ? date : undefined
}
