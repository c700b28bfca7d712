import type { TObject, TSchema } from 'typebox'

type Cell = string | number | boolean | null | undefined

/** A text that a spreadsheet would run as a formula. */
const FORMULA = /^[=+\-@\t\r]/

/** One line per row below the names of the columns: RFC 4180, with formulas defused by a leading apostrophe. */
export function toCsv(columns: readonly string[], rows: readonly Readonly<Record<string, Cell>>[]): string {
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('')
}

export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Which list of an answer is its rows, and the columns of that list, from the answer's schema. */
export function csvShape(answer: TSchema): { list: string; columns: string[] } {
  for (const [list, schema] of Object.entries((answer as TObject).properties)) {
    const { type, items } = schema as { type?: string; items?: TObject }
    if (type === 'array' && items?.properties) return { list, columns: Object.keys(items.properties) }
  }
  throw new TypeError('an answer without rows')
}

/** Whether an Accept header prefers CSV to JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  const wishes = (accept ?? '').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    return { type, q: q === undefined ? 1 : Number(q.slice(2)) || 0 }
  })
  const csv = wishes.findIndex(({ type }) => type === 'text/csv')
  if (csv < 0 || wishes[csv]!.q === 0) return false
  const json = wishes.findIndex(({ type }) => type === 'application/json')
  return json < 0 || wishes[csv]!.q > wishes[json]!.q || (wishes[csv]!.q === wishes[json]!.q && csv < json)
}
