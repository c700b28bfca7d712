import type { DatabaseSync } from 'node:sqlite'

/**
 * The state of the registry. Comparing it with the state recorded beside the database reveals an older or emptied
 * registry.
 */
export interface RegistryState {
  /** number of writes and removals */
  readonly changes: number
  readonly records: number
}

/** Kinds of records that expire by themselves, or are written again, and whose loss does not matter. */
const temporaryKinds: readonly string[] = [
  'login',
  'audit',
  'audit_run',
  'disk',
  'refusal',
  'process',
  'key_use',
  'import',
  'external',
  'ahead',
  'last_seen_log',
  'alert_record',
  'alert_test',
  'shared_link_use',
  'usage',
]

/** Returns whether losing records of a kind is damage; temporary ones come back or are not missed. */
export function isLasting(kind: string): boolean {
  return !temporaryKinds.includes(kind)
}

/** Both numbers are 0 if the tables are missing. */
export function registryState(database: DatabaseSync): RegistryState {
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('registry', 'registry_changes')")
    .all()
  const has = (name: string): boolean => tables.some((table) => table['name'] === name)
  const changes =
    has('registry_changes') &&
    (database.prepare('SELECT changes FROM registry_changes').get() as { changes: number } | undefined)
  const temporary = temporaryKinds.map((kind) => `'${kind}'`).join(', ')
  const query = `SELECT count(*) AS records FROM registry WHERE kind NOT IN (${temporary})`
  const { records } = has('registry') ? (database.prepare(query).get() as { records: number }) : { records: 0 }
  return { changes: changes ? changes.changes : 0, records }
}
