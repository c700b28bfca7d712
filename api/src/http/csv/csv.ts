import type { TObject, TSchema } from 'typebox'

export type Cell = string | number | boolean | null | undefined
export type Row = Readonly<Record<string, Cell>>

/** The CSV format that a program expects in a given country. */
export interface CsvStyle {
  /** add a byte-order mark, by which a spreadsheet recognizes UTF-8 */
  readonly bom?: boolean
  /** write 0,5 instead of 0.5, and separate cells with semicolons, as such programs expect */
  readonly decimalComma?: boolean
}

/** The table form of an answer. */
export interface Table {
  /** columns that are always present, even without rows; other columns follow in the order of their first row */
  readonly columns: readonly string[]
  rows(answer: never): readonly Row[]
}

/**
 * Matches text that a spreadsheet would run as a formula, and such text after apostrophes, so that no escaped formula
 * equals another text.
 */
const FORMULA = /^'*[=+\-@\t\r]/

/** Writes one line per row below the column names: RFC 4180, with formulas escaped by a leading apostrophe. */
export function toCsv(columns: readonly string[], rows: readonly Row[], { bom, decimalComma }: CsvStyle = {}): string {
  const separator = decimalComma ? ';' : ','
  const cellOf = decimalComma ? commaCell : csvCell
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(
    (cells) => `${cells.map(cellOf).join(separator)}\r\n`,
  )
  return `${bom ? '\ufeff' : ''}${lines.join('')}`
}

export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function commaCell(value: Cell): string {
  if (typeof value === 'number') return String(value).replace('.', ',')
  const cell = csvCell(value)
  return cell.includes(';') && !cell.startsWith('"') ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** Lists all columns: the fixed ones of the table, then any others that the rows have. */
export function columnsOf({ columns }: Table, rows: readonly Row[]): string[] {
  const names = new Set(columns)
  for (const row of rows) for (const name of Object.keys(row)) names.add(name)
  return [...names]
}

/** Builds the table of an answer whose first list has flat rows; the columns are those of the schema. */
export function tableOf(answer: TSchema): Table {
  for (const [list, schema] of Object.entries((answer as TObject).properties)) {
    const { type, items } = schema as { type?: string; items?: TObject }
    if (type === 'array' && items?.properties)
      return { columns: Object.keys(items.properties), rows: (body: never) => body[list] as readonly Row[] }
  }
  throw new TypeError('this answer has no rows')
}

/** Flattens a value to `data.plan` and so on; lists become JSON. */
export function flatRow(value: object, path = ''): Record<string, Cell> {
  const row: Record<string, Cell> = {}
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      Object.assign(row, flatRow(inner, `${path}${name}.`))
    else row[`${path}${name}`] = Array.isArray(inner) ? JSON.stringify(inner) : (inner as Cell)
  }
  return row
}

interface Wish {
  readonly type: string
  readonly q: number
}

/** Tells whether an Accept header prefers CSV to JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  const wishes = acceptedTypes(accept)
  const csv = wishes.findIndex(({ type }) => type === 'text/csv')
  if (csv < 0 || wishes[csv]!.q === 0) return false
  const json = wishes.findIndex(({ type }) => type === 'application/json')
  return json < 0 || wishes[csv]!.q > wishes[json]!.q || (wishes[csv]!.q === wishes[json]!.q && csv < json)
}

/** Tells whether an Accept header accepts CSV but not JSON. */
export function acceptsOnlyCsv(accept: string | undefined): boolean {
  const accepted = acceptedTypes(accept).filter(({ q }) => q > 0)
  return (
    accepted.some(({ type }) => type === 'text/csv') &&
    !accepted.some(({ type }) => ['*/*', 'application/*', 'application/json'].includes(type))
  )
}

function acceptedTypes(accept = ''): Wish[] {
  return accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    return { type, q: q === undefined ? 1 : Number(q.slice(2)) || 0 }
  })
}
