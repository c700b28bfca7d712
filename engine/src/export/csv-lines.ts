import { exportColumns } from './export-columns.ts'
import type { ExportedEvent } from './exported-event.ts'

/**
 * A text that a spreadsheet would run as a formula, or such a text after apostrophes: these are escaped too, so that an
 * escaped formula stays distinguishable from them.
 */
const FORMULA = /^'*[=+\-@\t\r\n]/

/** The header line with the names of the columns. */
export const csvHead = `${exportColumns.map(({ name }) => name).join(',')}\r\n`

/** Formats one line of CSV (RFC 4180): times in ISO 8601, formulas escaped with a leading apostrophe. */
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
