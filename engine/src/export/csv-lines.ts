import { csvText } from '@hopper/contracts'
import { exportColumns } from './export-columns.ts'
import type { ExportedEvent } from './exported-event.ts'

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
