import { join } from 'node:path'
import type { LanePositions, PositionRange } from '../../position-range.ts'
import type { RegistryState } from '../registry-state.ts'
import { readSideRecord } from '../side-record.ts'
import { emptyLog, inspectLog, isPresent, type Broken, type InspectedLog } from './inspect-log.ts'
import { emptyTables, inspectTables, type InspectedTables } from './inspect-tables.ts'

export const LOG_FILE = 'log.db'
export const TABLES_FILE = 'tables.db'
/** progress of the log: written by the log's thread with every commit */
export const LOG_RECORD = 'log.ends'
/** progress of the tables: written each second, and when the directory is closed */
export const TABLES_RECORD = 'tables.ends'

/** both of them, as named in messages */
export const RECORDS = `${LOG_RECORD} and ${TABLES_RECORD}`

export interface LogRecord {
  readonly installation: string
  /** the position after the last acknowledged message, by lane */
  readonly ends: readonly number[]
}

export interface TablesRecord {
  readonly installation: string
  /** by lane, the position before which everything was counted and archived */
  readonly counted: readonly number[]
  /** the end of the log at that time, by lane */
  readonly ends: readonly number[]
  readonly registry: RegistryState
}

/** Positions that a lane of the directory has lost. */
interface DirectoryLoss extends LanePositions {
  /** lost positions below this one were counted before the loss */
  readonly counted: number
}

/** One finding about a data directory. */
export interface Damage {
  readonly file: string
  readonly kind: 'broken' | 'missing' | 'foreign' | 'positions' | 'registry' | 'archive' | 'ambiguous'
  /** a sentence without its full stop */
  readonly what: string
  readonly lanes?: readonly DirectoryLoss[]
}

/** The result of the checks of a data directory. */
export interface Findings {
  readonly damages: readonly Damage[]
  /** the id of the installation; undefined for a new one */
  readonly id: string | undefined
  readonly log: InspectedLog
  readonly tables: InspectedTables
  /** by lane, the position before which everything was acknowledged or counted */
  readonly reached: readonly number[]
  /** positions up to watermarks beyond a log that has lost nothing: no message may get one of them */
  readonly beyond: readonly LanePositions[]
  /** rows of the log that cannot be decoded, by lane */
  readonly spoiled: readonly (readonly number[])[]
}

/**
 * Checks the log of a directory that has nothing else, as the spool has. Acknowledged messages must be present or
 * deleted on purpose.
 */
export function findLogDamage(dir: string, lanes: number): Findings {
  const record = readSideRecord<LogRecord>(join(dir, LOG_RECORD))
  return compare(dir, lanes, record, undefined, emptyTables(lanes), false)
}

/**
 * Compares the log, the tables and the records beside them with each other. Changes nothing.
 * @throws HopperError HOP_CONFIG for a different number of lanes, or a file that cannot be opened now
 */
export function findDamage(dir: string, lanes: number): Findings {
  const tables = inspectIfPresent(join(dir, TABLES_FILE), (file) => inspectTables(file, lanes)) ?? emptyTables(lanes)
  const logRecord = readSideRecord<LogRecord>(join(dir, LOG_RECORD))
  const tablesRecord = readSideRecord<TablesRecord>(join(dir, TABLES_RECORD))
  return compare(dir, lanes, logRecord, tablesRecord, tables, true)
}

function inspectIfPresent<T>(file: string, inspect: (file: string) => T): T | undefined {
  return isPresent(file) ? inspect(file) : undefined
}

function compare(
  dir: string,
  lanes: number,
  logRecord: LogRecord | undefined,
  tablesRecord: TablesRecord | undefined,
  inspectedTables: InspectedTables | Broken,
  hasTables: boolean,
): Findings {
  const damages: Damage[] = []
  const known = isBroken(inspectedTables) ? emptyTables(lanes) : inspectedTables
  const inspectedLog =
    inspectIfPresent(join(dir, LOG_FILE), (file) => inspectLog(file, lanes, known.counted)) ?? emptyLog(lanes)
  if (isBroken(inspectedLog)) damages.push(broken(LOG_FILE, inspectedLog))
  if (isBroken(inspectedTables)) damages.push(broken(TABLES_FILE, inspectedTables))
  let log = isBroken(inspectedLog) ? emptyLog(lanes) : inspectedLog
  let tables = known

  const foreign = foreignOf(log.id, tables.id, logRecord?.installation, tablesRecord?.installation)
  if (foreign) damages.push(foreign)
  if (foreign?.kind === 'foreign' && foreign.file === LOG_FILE) log = emptyLog(lanes)
  if (foreign?.kind === 'foreign' && foreign.file === TABLES_FILE) tables = emptyTables(lanes)
  const id = tables.id ?? log.id ?? logRecord?.installation ?? tablesRecord?.installation
  const ours = logRecord?.installation === id ? logRecord : undefined
  const noted = tablesRecord?.installation === id ? tablesRecord : undefined

  const counted = Array.from({ length: lanes }, (_, lane) => Math.max(tables.counted[lane]!, noted?.counted[lane] ?? 0))
  const acknowledged = counted.map((_, lane) =>
    Math.max(ours?.ends[lane] ?? 0, noted?.ends[lane] ?? 0, noted?.counted[lane] ?? 0),
  )
  // If both records say that the log is complete, it has lost nothing, and watermarks beyond its end are wrong.
  const isWhole = (lane: number): boolean =>
    ours !== undefined && noted !== undefined && acknowledged[lane]! <= log.next[lane]!
  const reached = counted.map((position, lane) =>
    Math.max(isWhole(lane) ? 0 : position, acknowledged[lane]!, log.next[lane]!),
  )
  const beyond = counted.flatMap((position, lane) =>
    position > reached[lane]! ? [{ lane, first: reached[lane]!, next: position }] : [],
  )
  if (!isBroken(inspectedLog)) damages.push(...positionsDamage(dir, log, counted, reached))
  if (hasTables && !isBroken(inspectedTables) && foreign?.file !== TABLES_FILE)
    damages.push(...tablesDamage(log, tables, noted, reached))
  return { damages, id, log, tables, reached, beyond, spoiled: log.spoiled }
}

/** Returns whether a file could not be read as a database. */
export function isBroken(inspected: object): inspected is Broken {
  return 'broken' in inspected
}

function broken(file: string, { broken: because }: Broken): Damage {
  return { file, kind: 'broken', what: `${file} cannot be read as a database (${because})` }
}

/** Detects a file that belongs to another installation. The records beside the files decide which one it is. */
function foreignOf(
  log: string | undefined,
  tables: string | undefined,
  logRecord: string | undefined,
  tablesRecord: string | undefined,
): Damage | undefined {
  const records = [logRecord, tablesRecord].filter((id) => id !== undefined)
  const another = (file: string, belong = 'belongs'): Damage => ({
    file,
    kind: 'foreign',
    what: `${file} ${belong} to another installation than the files beside it`,
  })
  if (log === undefined || tables === undefined || log === tables) {
    const recorded = tables ?? log
    if (recorded === undefined || records.length === 0 || records.includes(recorded)) return undefined
    return tables === undefined ? another(LOG_FILE) : another(RECORDS, 'belong')
  }
  const [forTables, forLog] = [records.includes(tables), records.includes(log)]
  if (forTables && !forLog) return another(LOG_FILE)
  if (forLog && !forTables) return another(TABLES_FILE)
  const what =
    `${LOG_FILE} and ${TABLES_FILE} belong to different installations, ` +
    'and the files beside them do not show which one is right'
  return { file: LOG_FILE, kind: 'ambiguous', what }
}

/** Acknowledged or counted positions that the log does not have. */
function positionsDamage(
  dir: string,
  log: InspectedLog,
  counted: readonly number[],
  reached: readonly number[],
): Damage[] {
  const lost = reached.flatMap((end, lane) => {
    const after: PositionRange[] = log.next[lane]! < end ? [{ first: log.next[lane]!, next: end }] : []
    return [...log.missing[lane]!, ...after].map((range): DirectoryLoss => ({
      lane,
      ...range,
      counted: counted[lane]!,
    }))
  })
  const spoiled = log.spoiled.flatMap((rows, lane) => rows.map((first) => ({ lane, first })))
  const damages: Damage[] = []
  if (lost.length > 0) {
    const state = isPresent(join(dir, LOG_FILE)) ? 'lacks messages that were acknowledged' : 'is missing or empty'
    damages.push({
      file: LOG_FILE,
      kind: 'positions',
      what: `${LOG_FILE} ${state}: ${describeLosses(lost)}`,
      lanes: lost,
    })
  }
  if (spoiled.length > 0) {
    const places = spoiled.map(({ lane, first }) => `lane ${lane} from position ${first}`)
    damages.push({
      file: LOG_FILE,
      kind: 'positions',
      what: `${LOG_FILE} has blocks that are not as they were written: ${joinShort(places)}`,
    })
  }
  return damages
}

function tablesDamage(
  log: InspectedLog,
  tables: InspectedTables,
  noted: TablesRecord | undefined,
  reached: readonly number[],
): Damage[] {
  const damage = (kind: Damage['kind'], what: string): Damage => ({ file: TABLES_FILE, kind, what })
  const somethingThere = reached.some((position) => position > 0) || (noted?.registry.records ?? 0) > 0
  if (tables.id === undefined && (log.id ?? noted) !== undefined && somethingThere) {
    return [
      damage(
        'missing',
        `${TABLES_FILE} is missing or empty: the tables can be counted again from the log, ` +
          'the apps, keys, funnels and members cannot',
      ),
    ]
  }
  const damages: Damage[] = []
  if (noted) {
    const { changes, records } = tables.registry
    const changed =
      noted.registry.changes > changes || (noted.registry.changes === changes && noted.registry.records > records)
    if (changed) {
      const had = `${noted.registry.records} after ${noted.registry.changes} changes`
      damages.push(
        damage(
          'registry',
          `${TABLES_FILE} is older than it was or has lost apps, keys, funnels or members: ` +
            `it has ${records} records after ${changes} changes, it had ${had}`,
        ),
      )
    }
  }
  if (tables.withoutArchive.length > 0) {
    damages.push(
      damage(
        'archive',
        `${TABLES_FILE} has lost its archive of events in lanes ${joinShort(tables.withoutArchive.map(String))}`,
      ),
    )
  }
  return damages
}

const LISTED_MAX = 10

function joinShort(texts: readonly string[]): string {
  const rest = texts.length - LISTED_MAX
  return `${texts.slice(0, LISTED_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function describeLosses(lost: readonly DirectoryLoss[]): string {
  const messages = lost.reduce((sum, { first, next }) => sum + next - first, 0)
  const uncounted = lost.reduce(
    (sum, { first, next, counted }) => sum + Math.max(0, next - Math.max(first, counted)),
    0,
  )
  const places = lost.map(({ lane, first, next }) => `lane ${lane} positions ${first} to ${next - 1}`)
  return `${joinShort(places)} (${messages} messages, ${uncounted} of them not counted yet)`
}

/** The positions of a lane that become lost when the damage is accepted, besides those already recorded as lost. */
export function lossesToAccept(lane: number, { log, reached }: Findings): PositionRange[] {
  const after = log.next[lane]! < reached[lane]! ? [{ first: log.next[lane]!, next: reached[lane]! }] : []
  return [...log.missing[lane]!, ...after]
}
