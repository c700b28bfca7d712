import { columnsOfKey, DATA_PREFIX, isAddressColumn, SPILLED, SPILLED_KEYS } from './event-keys.ts'

/** Columns that no query key reads. */
const hidden: ReadonlySet<string> = new Set(['runs', 'position', 'index', SPILLED, SPILLED_KEYS])

/** Returns the shortest query key that reads a column; undefined for a column that no key reads. */
export function keyOfColumn(column: string): string | undefined {
  if (hidden.has(column)) return undefined
  if (!column.startsWith(DATA_PREFIX)) return column
  const short = column.slice(DATA_PREFIX.length)
  // a `data` key with the name of a field must be written in full
  return short !== '' && columnsOfKey(short)[0] === column ? short : column
}

/** Returns the distinct query keys that the columns of a chunk provide. `page` has no column of its own. */
export function keysOfColumns(columns: readonly string[]): string[] {
  const keys = columns.flatMap((column) => keyOfColumn(column) ?? [])
  return [
    ...new Set(
      columns.some((column) => isAddressColumn(column) || column === `${DATA_PREFIX}page`) ? [...keys, 'page'] : keys,
    ),
  ]
}
