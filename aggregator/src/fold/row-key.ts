import type { CounterTableName, Key, VisitorTableName } from '@hopper/storage'

/** One text for a partition. The names of tables and apps and the dates hold no NUL. */
export function partitionKey(table: CounterTableName | VisitorTableName, app: string, date: string): string {
  return `${table}\0${app}\0${date}`
}

/** One text for a key. Texts from events may hold any character, so the length of the first decides where it ends. */
export function rowKey(key: Key): string {
  return key.length === 1 ? String(key[0]) : `${String(key[0]).length}\0${key.join('\0')}`
}
