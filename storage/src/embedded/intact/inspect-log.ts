import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { decodeBlock } from '../block.ts'
import type { PositionRange } from '../../position-range.ts'
import { endOf, lanesOf, lossesOf, nextPosition, startOf, subtractLosses, wrongLanes } from '../log/log-schema.ts'
import { openToInspect } from '../sqlite.ts'
import { corruptionReason, hasTable, idOf, quickCheck } from './inspect-database.ts'

/** A log up to this size is fully checked at each start; of a larger one, only the part that is not counted yet. */
const WHOLE_BYTES_MAX = 256_000_000
/**
 * All blocks of a log up to this size are decoded at each start. Of a larger log, only blocks that are not counted yet
 * are decoded, up to a bound.
 */
const WHOLE_DECODED_BYTES_MAX = 64_000_000
const DECODED_BYTES_MAX = 256_000_000

/** The result of inspecting a log. */
export interface InspectedLog {
  readonly id: string | undefined
  /** the position after the last message, by lane */
  readonly ends: readonly number[]
  /** the position that the next message will get, by lane */
  readonly next: readonly number[]
  /** positions before the end that cannot be read and are not accepted as lost, by lane */
  readonly missing: readonly (readonly PositionRange[])[]
  /** first positions of rows whose block cannot be decoded, by lane */
  readonly spoiled: readonly (readonly number[])[]
  /** true if an earlier loss was accepted */
  readonly hasLosses: boolean
}

/** The reason why a file cannot be read as a database. */
export interface Broken {
  readonly broken: string
}

/** True if a database file exists and is not empty. */
export function isPresent(file: string): boolean {
  return sizeOf(file) > 0
}

/**
 * Inspects a log without changing it: whether it can be read, and which positions it lacks. `counted` has the positions
 * from which each lane's messages are still needed.
 * @throws HopperError HOP_CONFIG for a different number of lanes, or a file that cannot be opened now
 */
export function inspectLog(file: string, lanes: number, counted: readonly number[]): InspectedLog | Broken {
  const database = openToInspect(file)
  try {
    const whole = sizeOf(file) <= WHOLE_BYTES_MAX
    if (whole) quickCheck(database)
    if (!hasTable(database, 'log')) return emptyLog(lanes)
    const found = lanesOf(database)
    if (found === undefined) return emptyLog(lanes)
    if (found !== lanes) throw wrongLanes(found, lanes)
    const decodedFrom = sizeOf(file) <= WHOLE_DECODED_BYTES_MAX ? new Array<number>(lanes).fill(0) : counted
    return inspectLanes(database, lanes, { gapsFrom: whole ? new Array<number>(lanes).fill(0) : counted, decodedFrom })
  } catch (error) {
    return { broken: corruptionReason(error) }
  } finally {
    database.close()
  }
}

/** Returns the inspection of a log that nothing was appended to yet. */
export function emptyLog(lanes: number): InspectedLog {
  const none = <T>(value: () => T): T[] => Array.from({ length: lanes }, value)
  return {
    id: undefined,
    ends: none(() => 0),
    next: none(() => 0),
    missing: none(() => []),
    spoiled: none(() => []),
    hasLosses: false,
  }
}

/** Start positions of the search for gaps and of decoding, by lane. */
interface Depth {
  readonly gapsFrom: readonly number[]
  readonly decodedFrom: readonly number[]
}

function inspectLanes(database: DatabaseSync, lanes: number, { gapsFrom, decodedFrom }: Depth): InspectedLog {
  const present = Array.from({ length: lanes }, (_, lane) => lane).map((lane) => ({
    lane,
    there: hasTable(database, `lane_${lane}`),
  }))
  const each = <T>(read: (lane: number) => T, missing: T): T[] =>
    present.map(({ lane, there }) => (there ? read(lane) : missing))
  const marked = hasTable(database, 'losses')
  const budget = { bytes: DECODED_BYTES_MAX }
  const spoiled = each((lane) => spoiledBlocks(database, lane, decodedFrom[lane]!, budget), [])
  return {
    id: idOf(database),
    ends: each((lane) => endOf(database, lane), 0),
    next: each((lane) => (marked ? nextPosition(database, lane) : endOf(database, lane)), 0),
    missing: each((lane) => gapsOf(database, lane, gapsFrom[lane]!, marked), []),
    spoiled: spoiled.map((rows) => rows.map(({ first }) => first)),
    hasLosses: marked && database.prepare('SELECT 1 FROM losses LIMIT 1').get() !== undefined,
  }
}

/** Missing positions between the messages of a lane. */
function gapsOf(database: DatabaseSync, lane: number, from: number, marked: boolean): PositionRange[] {
  const losses = marked ? lossesOf(database, lane) : []
  const rows = database.prepare(`SELECT first, count FROM lane_${lane}
    WHERE first >= (SELECT coalesce(max(first), 0) FROM lane_${lane} WHERE first <= ?) ORDER BY first`)
  const gaps: PositionRange[] = []
  let expected = Math.max(from, marked ? startOf(database, lane) : 0)
  for (const row of rows.iterate(from)) {
    const { first, count } = row as unknown as { first: number; count: number }
    if (first > expected) gaps.push(...subtractLosses({ first: expected, next: first }, losses))
    expected = Math.max(expected, first + count)
  }
  return gaps
}

/** The corrupt blocks of a lane from a position on. */
export function spoiledBlocks(
  database: DatabaseSync,
  lane: number,
  from: number,
  budget: { bytes: number },
): { first: number; count: number }[] {
  const rows = database.prepare(`SELECT first, count, block FROM lane_${lane}
    WHERE first >= (SELECT coalesce(max(first), 0) FROM lane_${lane} WHERE first <= ?) AND first + count > ?
    ORDER BY first`)
  const spoiled: { first: number; count: number }[] = []
  for (const row of rows.iterate(from, from)) {
    const { first, count, block } = row as unknown as { first: number; count: number; block: Uint8Array }
    if ((budget.bytes -= block.length) < 0) break
    if (!isIntact(block, count)) spoiled.push({ first, count })
  }
  return spoiled
}

/** Returns whether a block can be decoded, into exactly `count` messages. */
export function isIntact(block: Uint8Array, count: number): boolean {
  try {
    return decodeBlock(block, count).length === count
  } catch {
    return false
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
