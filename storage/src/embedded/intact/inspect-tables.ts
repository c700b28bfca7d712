import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { openToInspect } from '../sqlite.ts'
import { registryState, type RegistryState } from '../registry-state.ts'
import { corruptionReason, hasTable, idOf, quickCheck } from './inspect-database.ts'
import type { Broken } from './inspect-log.ts'

/** Tables up to this size are fully checked at each start. */
const WHOLE_BYTES_MAX = 256_000_000

/** The result of inspecting the tables. */
export interface InspectedTables {
  readonly id: string | undefined
  /** by lane, the position before which everything was counted or archived */
  readonly counted: readonly number[]
  readonly registry: RegistryState
  /** lanes whose counted events are missing in the archive although they were archived */
  readonly withoutArchive: readonly number[]
}

/**
 * Inspects the tables, the archive and the registry without changing them.
 * @throws HopperError HOP_CONFIG when the file cannot be opened now
 */
export function inspectTables(file: string, lanes: number): InspectedTables | Broken {
  const database = openToInspect(file)
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= WHOLE_BYTES_MAX) quickCheck(database)
    return {
      id: idOf(database),
      counted: countedOf(database, lanes),
      registry: registryState(database),
      withoutArchive: lanesWithoutArchive(database),
    }
  } catch (error) {
    return { broken: corruptionReason(error) }
  } finally {
    database.close()
  }
}

/** Returns the inspection of tables that count nothing yet. */
export function emptyTables(lanes: number): InspectedTables {
  return {
    id: undefined,
    counted: new Array<number>(lanes).fill(0),
    registry: { changes: 0, records: 0 },
    withoutArchive: [],
  }
}

function countedOf(database: DatabaseSync, lanes: number): number[] {
  const counted = new Array<number>(lanes).fill(0)
  const queries = {
    lanes: 'SELECT lane, position AS next FROM lanes',
    applied: 'SELECT lane, max(position) + 1 AS next FROM applied GROUP BY lane',
    archived: 'SELECT lane, max(position) + 1 AS next FROM archived GROUP BY lane',
  }
  for (const [table, query] of Object.entries(queries)) {
    if (!hasTable(database, table)) continue
    for (const { lane, next } of database.prepare(query).all() as { lane: number; next: number }[]) {
      if (lane < lanes) counted[lane] = Math.max(counted[lane]!, next)
    }
  }
  return counted
}

/**
 * Lanes that lack chunks. A counted event is archived before its lane's position is committed past it, so a lane with
 * such committed events must have chunks.
 */
function lanesWithoutArchive(database: DatabaseSync): number[] {
  if (!['chunks', 'chunk_cells', 'applied', 'lanes', 'archive_losses'].every((table) => hasTable(database, table)))
    return []
  const hasCells = database.prepare('SELECT 1 FROM chunk_cells LIMIT 1').get() !== undefined
  const archived = new Set(
    hasCells
      ? database
          .prepare('SELECT DISTINCT lane FROM chunks')
          .all()
          .map(({ lane }) => Number(lane))
      : [],
  )
  const committed = database.prepare(`SELECT a.lane AS lane FROM applied a JOIN lanes l ON l.lane = a.lane
    LEFT JOIN archive_losses lost ON lost.lane = a.lane
    WHERE a."table" = 'activity_by_date' AND a.position < l.position AND a.position >= coalesce(lost.position, 0)
    GROUP BY a.lane ORDER BY a.lane`)
  return committed
    .all()
    .map(({ lane }) => Number(lane))
    .filter((lane) => !archived.has(lane))
}
