import type { ChunkSummary, Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import type { ExportRange } from '../export/exported-event.ts'
import { columnsToRead, keyColumn } from '../filter/key-column.ts'

/** Key by which the socket of a session marks the events that begin and end it. */
const MARK = 'data.session_message'

/** An event of a session that counts. */
export interface SessionEvent {
  readonly timestamp: number
  readonly seq: number
  readonly position: number
  readonly index: number
  /** of a custom event its name, of another its type */
  readonly name: string
  readonly mark: Value | null
}

/** The column that `hasSession` reads. */
export const sessionColumns = ['session_id'] as const

/** Returns whether a chunk can have events of a session, according to its summary. */
export function mayHaveSession({ columns, values }: ChunkSummary, id: string): boolean {
  return Object.hasOwn(columns, 'session_id') && (values['session_id']?.includes(id) ?? true)
}

/** Returns whether any event of a chunk has this session id. */
export function hasSession(chunk: Chunk, id: string): boolean {
  return (chunk.texts('session_id')?.rowsOf(id) ?? []).length > 0
}

/** Returns the columns that `sessionEvents` reads. */
export function sessionEventColumns({ columns }: ChunkSummary): string[] {
  const fixed = ['runs', 'timestamp', 'seq', 'position', 'index', 'type', 'name', 'session_id', 'bot']
  return [...fixed, ...columnsToRead(columns, MARK)]
}

/** Reads the events of a session that are in the range and not from bots, in any order. */
export function sessionEvents(chunk: Chunk, id: string, { from, to }: ExportRange): SessionEvent[] {
  const [times, seq] = [chunk.times(), chunk.numbers('seq')]
  const [positions, indexes] = [chunk.numbers('position'), chunk.numbers('index')]
  const columns = { type: chunk.values('type'), name: chunk.values('name'), bot: chunk.values('bot') }
  const marks = keyColumn(chunk, MARK)
  const at = (column: ReturnType<Chunk['values']>, row: number): Value | null =>
    column ? column.values[column.codes[row]!]! : null
  const rows = (chunk.texts('session_id')?.rowsOf(id) ?? []).filter(
    (row) => times[row]! >= from && times[row]! < to && at(columns.bot, row) === null,
  )
  return rows.map((row) => ({
    timestamp: times[row]!,
    seq: seq[row]!,
    position: positions[row]!,
    index: indexes[row]!,
    name: String(at(columns.name, row) ?? at(columns.type, row)),
    mark: at(marks, row),
  }))
}
