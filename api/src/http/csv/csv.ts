import { isObject, type CsvCell, type CsvRow } from '@hopper/contracts'
import type { TObject, TSchema } from 'typebox'

/** The table form of an answer. */
export interface Table {
  /** columns that are always present, even without rows; other columns follow in the order of their first row */
  readonly columns: readonly string[]
  rows(answer: never): readonly CsvRow[]
}

/** Lists all columns: the fixed ones of the table, then any others that the rows have. */
export function columnsOf({ columns }: Table, rows: readonly CsvRow[]): string[] {
  const names = new Set(columns)
  for (const row of rows) for (const name of Object.keys(row)) names.add(name)
  return [...names]
}

/** Builds the table of an answer whose first list has flat rows; the columns are those of the schema. */
export function tableOf(answer: TSchema): Table {
  for (const [list, schema] of Object.entries((answer as TObject).properties)) {
    const { type, items } = schema as { type?: string; items?: TObject }
    if (type === 'array' && items?.properties)
      return { columns: Object.keys(items.properties), rows: (body: never) => body[list] as readonly CsvRow[] }
  }
  throw new TypeError('this answer has no rows')
}

/** Flattens a value to `data.plan` and so on; lists become JSON. */
export function flatRow(value: object, path = ''): Record<string, CsvCell> {
  const row: Record<string, CsvCell> = {}
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    if (isObject(inner)) Object.assign(row, flatRow(inner, `${path}${name}.`))
    else row[`${path}${name}`] = Array.isArray(inner) ? JSON.stringify(inner) : (inner as CsvCell)
  }
  return row
}

interface Wish {
  readonly type: string
  readonly q: number
}

/** Returns whether an Accept header prefers CSV to JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  const wishes = acceptedTypes(accept)
  const csv = wishes.findIndex(({ type }) => type === 'text/csv')
  if (csv < 0 || wishes[csv]!.q === 0) return false
  const json = wishes.findIndex(({ type }) => type === 'application/json')
  return json < 0 || wishes[csv]!.q > wishes[json]!.q || (wishes[csv]!.q === wishes[json]!.q && csv < json)
}

/** Returns whether an Accept header accepts CSV but not JSON. */
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
