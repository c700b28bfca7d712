/** A value in a table. */
export type CsvCell = string | number | boolean | null | undefined
/** A row of a table, by the names of its columns. */
export type CsvRow = Readonly<Record<string, CsvCell>>

/** The CSV format that a program expects in a given country. */
export interface CsvStyle {
  /** add a byte-order mark, by which a spreadsheet recognizes UTF-8 */
  readonly bom?: boolean
  /** write 0,5 instead of 0.5, and separate cells with semicolons, as such programs expect */
  readonly decimalComma?: boolean
}

/**
 * Matches text that a spreadsheet would run as a formula, also by a full-width sign, and such text after apostrophes,
 * so that no escaped formula equals another text.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/

/** Writes one line per row below the column names: RFC 4180, with formulas escaped by a leading apostrophe. */
export function toCsv(
  columns: readonly string[],
  rows: readonly CsvRow[],
  { bom, decimalComma }: CsvStyle = {},
): string {
  const separator = decimalComma ? ';' : ','
  const cellOf = decimalComma ? commaCell : csvCell
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(
    (cells) => `${cells.map(cellOf).join(separator)}\r\n`,
  )
  return `${bom ? '\ufeff' : ''}${lines.join('')}`
}

function csvCell(value: CsvCell): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? csvText(value) : String(value)
}

/** Returns a text as one cell: formulas with an apostrophe before them, and in quotes where it needs them. */
export function csvText(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function commaCell(value: CsvCell): string {
  if (typeof value === 'number') return String(value).replace('.', ',')
  const cell = csvCell(value)
  return cell.includes(';') && !cell.startsWith('"') ? `"${cell.replaceAll('"', '""')}"` : cell
}
