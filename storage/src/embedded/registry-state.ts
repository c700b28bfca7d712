import type { DatabaseSync } from 'node:sqlite'

/** How the registry stands: compared with what was noted beside it, an older or emptied one is noticed. */
export interface RegistryState {
  /** how often a record was written or removed */
  readonly changes: number
  readonly records: number
}

/** Kinds that come and go by themselves, and that nobody misses. */
const passingKinds: readonly string[] = ['login', 'audit', 'import']

export function isLasting(kind: string): boolean {
  return !passingKinds.includes(kind)
}

/** Both figures are 0 where the tables are missing. */
export function registryState(database: DatabaseSync): RegistryState {
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('registry', 'registry_changes')")
    .all()
  const has = (name: string): boolean => tables.some((table) => table['name'] === name)
  const changes =
    has('registry_changes') &&
    (database.prepare('SELECT changes FROM registry_changes').get() as { changes: number } | undefined)
  const query = `SELECT count(*) AS records FROM registry WHERE kind NOT IN (${passingKinds.map((kind) => `'${kind}'`).join(', ')})`
  const { records } = has('registry') ? (database.prepare(query).get() as { records: number }) : { records: 0 }
  return { changes: changes ? changes.changes : 0, records }
}
