import type { CounterTableName, Key, VisitorTableName } from '@hopper/storage'

/** Returns a string that identifies a partition. Names of tables, ids of apps and dates contain no NUL. */
export function partitionKey(table: CounterTableName | VisitorTableName, app: string, date: string): string {
  return `${table}\0${app}\0${date}`
}

/**
 * Returns a string that identifies a key. Strings from events may contain any character, so the length of the first one
 * marks where it ends.
 */
export function rowKey(key: Key): string {
  return key.length === 1 ? String(key[0]) : `${String(key[0]).length}\0${key.join('\0')}`
}
