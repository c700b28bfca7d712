import type { Client, types } from 'cassandra-driver'
import type { Lease } from '../../ports/tables.ts'
import { randomStep } from '../client/random-step.ts'
import { rowsOf, statement, type Statement } from '../client/statements.ts'
import { visitorsOf, type PackedTable, type VisitorRow } from './visitor-block.ts'
import type { Part } from './visitor-parts.ts'
import type { VisitorPlace } from './visitor-place.ts'

const EPOCH_BITS = 32n
/**
 * How many of the last deltas may still lack their bump of the versions: a lane applies one batch after another, each
 * in one or two parts per date.
 */
const UNSURE_MAX = 3
const GROWTH_MAX = 2
const ROWS_ADDED_MIN = 10_000

/**
 * A part of a batch with its sequence number in the lane, and the step by which it bumps the versions of its tables.
 */
export type Delta<P extends Part = Part> = P & { readonly number: bigint; readonly step: bigint }

/** The location of rows whose deltas are read. */
export type DeltaPlace = Omit<VisitorPlace, 'table'> & { readonly table: PackedTable }

/**
 * The state of a cached partition: its version, which was read before the rows, and a delta such that the version
 * contains it and all before it.
 */
export interface DeltaState {
  readonly version: bigint
  readonly since: bigint
}

/**
 * Maximum number of rows before a full read. Redelivered rows are added again, so a partition is read as a whole when
 * deltas have added more rows than this.
 */
export function rowsMaxOf(rows: number): number {
  return rows * GROWTH_MAX + ROWS_ADDED_MIN
}

/** Numbers the parts of batches. Numbers grow within an epoch of a lane, and from epoch to epoch. */
export class DeltaNumbers {
  #count = 0n

  number<P extends Part>({ epoch }: Lease, parts: readonly P[]): Delta<P>[] {
    return parts.map((part) => ({ ...part, number: (BigInt(epoch) << EPOCH_BITS) + ++this.#count, step: randomStep() }))
  }
}

/**
 * Writes a delta: with its block, or with the id of a block that is stored already. It goes to the partition of the
 * rows and must be written before the versions are bumped.
 */
export function deltaWrite(
  lane: number,
  { app, date, number, step }: Delta,
  block: Buffer | types.TimeUuid,
): Statement {
  const isBlock = Buffer.isBuffer(block)
  return {
    query: statement(isBlock ? 'visitor-deltas.insert' : 'visitor-deltas.insertPlace'),
    params: [app, date, lane, number, step, block],
  }
}

/**
 * The number of a delta of an app, date and lane that current versions contain: the fourth last, because the last
 * ones may not have bumped the versions yet; 0 if there are fewer. Must be read before the rows.
 */
export async function deltaBefore(
  client: Client,
  { app, date, lane }: Pick<DeltaPlace, 'app' | 'date' | 'lane'>,
): Promise<bigint> {
  const numbers = (await rowsOf(client, 'visitor-deltas.last', [app, date, lane])).map(
    (row) => row.get('number') as bigint,
  )
  return numbers.length > UNSURE_MAX ? numbers[UNSURE_MAX]! : 0n
}

/**
 * The rows added to a partition between a state and a version; undefined if they cannot be determined. Every version is
 * the previous one plus the step of a delta. Successive deltas are therefore complete if their steps add up to the
 * change of the version. Otherwise a delta was evicted or is not visible yet, or the partition was emptied.
 */
export async function rowsSince(
  client: Client,
  place: DeltaPlace,
  { version, since }: DeltaState,
  now: bigint,
): Promise<{ rows: VisitorRow[]; since: bigint } | undefined> {
  const added: { readonly step: bigint; readonly rows: readonly VisitorRow[] }[] = []
  let missing = now - version
  if (missing < 0n) return undefined
  for (const delta of await rowsOf(client, 'visitor-deltas.after', [place.app, place.date, place.lane, since])) {
    const block = await blockOf(client, place, delta)
    if (!block) return undefined
    const [step, rows] = [delta.get('step') as bigint, visitorsOf(block, place.table, [])]
    if (rows.length === 0) continue
    added.push({ step, rows })
    missing -= step
    // Deltas beyond the difference were already in the previous version.
    while (missing < 0n) missing += added.shift()!.step
    if (missing === 0n) {
      const below = added
        .flatMap((each) => each.rows)
        .filter(({ key }) => place.prefix.every((value, index) => key[index] === value))
      return { rows: below, since: delta.get('number') as bigint }
    }
  }
  return undefined
}

async function blockOf(
  client: Client,
  { app, date, lane }: DeltaPlace,
  delta: types.Row,
): Promise<Uint8Array | undefined> {
  const block = delta.get('block') as Uint8Array | null
  if (block) return block
  const [row] = await rowsOf(client, 'visitor-blocks-by-date.readOne', [app, date, lane, delta.get('place')])
  return row?.get('block') as Uint8Array | undefined
}
