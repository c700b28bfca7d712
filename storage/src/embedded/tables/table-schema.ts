import type { DatabaseSync } from 'node:sqlite'
import {
  counterTableNames,
  counterTables,
  visitorTableNames,
  visitorTables,
  type ColumnType,
} from '../../ports/table-definitions.ts'

const sqlType = { text: 'TEXT', int: 'INTEGER' } as const satisfies Record<ColumnType, string>

/**
 * Creates the tables of docs/tables.md from their definitions. The watermarks of the counter tables are in `applied`,
 * the versions of dates in `versions_by_date`.
 */
export function prepareTables(database: DatabaseSync): void {
  const partition = 'app TEXT NOT NULL, date TEXT NOT NULL, lane INTEGER NOT NULL'
  for (const table of counterTableNames) {
    const { key, counters } = counterTables[table]
    const columns = [partition, ...keyColumns(key), ...counters.map((name) => `"${name}" INTEGER NOT NULL`)]
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (${columns.join()}, ` +
        `PRIMARY KEY (app, date, lane, ${Object.keys(key).join()})) WITHOUT ROWID`,
    )
  }
  for (const table of visitorTableNames) {
    const { key } = visitorTables[table]
    const columns = [partition, ...keyColumns(key), 'user TEXT NOT NULL', 'device TEXT NOT NULL']
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (${columns.join()}, ` +
        `PRIMARY KEY (app, date, lane, ${Object.keys(key).join()}, user, device)) WITHOUT ROWID`,
    )
  }
  database.exec(`
    CREATE TABLE IF NOT EXISTS applied (
      "table" TEXT NOT NULL, ${partition}, position INTEGER NOT NULL,
      PRIMARY KEY ("table", app, date, lane)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS versions_by_date (
      app TEXT NOT NULL, date TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (app, date)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS seen_by_date (
      ${partition}, event_id TEXT NOT NULL, position INTEGER NOT NULL, fate TEXT NOT NULL, reason TEXT NOT NULL,
      PRIMARY KEY (app, date, lane, event_id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS person_by_device (
      app TEXT NOT NULL, device TEXT NOT NULL, place INTEGER NOT NULL, user TEXT NOT NULL,
      PRIMARY KEY (app, device, place)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS devices_by_person (
      app TEXT NOT NULL, user TEXT NOT NULL, device TEXT NOT NULL, PRIMARY KEY (app, user, device)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions_by_id (
      app TEXT NOT NULL, session_id TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
      device TEXT NOT NULL, user TEXT NOT NULL,
      lane INTEGER NOT NULL, first_position INTEGER NOT NULL, last_position INTEGER NOT NULL,
      PRIMARY KEY (app, session_id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS dead_letters (
      lane INTEGER NOT NULL, position INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
      value BLOB NOT NULL, PRIMARY KEY (lane, position));
    CREATE TABLE IF NOT EXISTS replayed_letters (
      lane INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (lane, position)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS lanes (
      lane INTEGER PRIMARY KEY, owner TEXT, epoch INTEGER NOT NULL, renewed_at REAL NOT NULL,
      position INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS registry (
      kind TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL,
      PRIMARY KEY (kind, owner, id)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS registry_by_id ON registry (kind, id);
    CREATE TABLE IF NOT EXISTS registry_changes (one INTEGER PRIMARY KEY CHECK (one = 1), changes INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS archive_losses (lane INTEGER PRIMARY KEY, position INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS installation (id TEXT NOT NULL);
  `)
}

function keyColumns(key: Readonly<Record<string, ColumnType>>): string[] {
  return Object.entries(key).map(([name, type]) => `${name} ${sqlType[type]} NOT NULL`)
}
