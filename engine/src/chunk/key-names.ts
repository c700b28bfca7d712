import { columnsOfKey, DATA_PREFIX, isAddressColumn, SPILLED, SPILLED_KEYS } from './event-keys.ts'

/** Columns that are no key of a query. */
const hidden: ReadonlySet<string> = new Set(['runs', 'position', 'index', SPILLED, SPILLED_KEYS])

/** The shortest key of a query that reads this column; undefined for a column that no key reads. */
export function keyOfColumn(column: string): string | undefined {
  if (hidden.has(column)) return undefined
  if (!column.startsWith(DATA_PREFIX)) return column
  const short = column.slice(DATA_PREFIX.length)
  // a key of `data` that is named like a field must be written in full
  return short !== '' && columnsOfKey(short)[0] === column ? short : column
}

/** The keys that the columns of a chunk answer for, each once; no column is named `page`. */
export function keysOfColumns(columns: readonly string[]): string[] {
  const keys = columns.flatMap((column) => keyOfColumn(column) ?? [])
  return [
    ...new Set(
      columns.some((column) => isAddressColumn(column) || column === `${DATA_PREFIX}page`) ? [...keys, 'page'] : keys,
    ),
  ]
}
