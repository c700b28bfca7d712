import { toCsv, type CsvCell } from '@hopper/contracts'

/** Returns rows as CSV, in the form of the API's; lists and objects are cells of JSON. */
export function csvOf(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string {
  return toCsv(
    columns,
    rows.map((row) => Object.fromEntries(columns.map((key) => [key, cellOf(row[key])]))),
  )
}

function cellOf(value: unknown): CsvCell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as CsvCell)
}
