import { exportColumns } from './export-columns.ts'
import type { ExportedEvent } from './exported-event.ts'

/**
 * A text that a spreadsheet would run as a formula; or one with apostrophes before it, which no formula may become
 * equal to.
 */
const FORMULA = /^'*[=+\-@\t\r\n]/

/** The names of the columns. */
export const csvHead = `${exportColumns.map(({ name }) => name).join(',')}\r\n`

/** One line of CSV (RFC 4180): times in ISO 8601, formulas defused by a leading apostrophe. */
export function csvLine(event: ExportedEvent): string {
  const cells = exportColumns.map((column) => {
    const value = column.value(event)
    if (value === undefined) return ''
    if (typeof value === 'string') return csvText(value)
    return column.kind === 'time' ? new Date(value).toISOString() : String(value)
  })
  return `${cells.join(',')}\r\n`
}

function csvText(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
