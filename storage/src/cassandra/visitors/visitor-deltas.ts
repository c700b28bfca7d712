import type { Client, types } from 'cassandra-driver'
import type { Lease } from '../../ports/tables.ts'
import { randomStep } from '../client/random-step.ts'
import { rowsOf, statement, type Statement } from '../client/statements.ts'
import { visitorsOf, type PackedTable, type VisitorRow } from './visitor-block.ts'
import type { Part } from './visitor-parts.ts'
import type { VisitorPlace } from './visitor-place.ts'

const EPOCH_BITS = 32n
/** A lane applies one batch after another, in a part or two for each date. */
const UNSURE_MAX = 3
const GROWTH_MAX = 2
const ROWS_ADDED_MIN = 10_000

/**
 * A part of a batch with its place among those of its lane, and the step by which it changes the versions of its
 * tables.
 */
export type Delta<P extends Part = Part> = P & { readonly number: bigint; readonly step: bigint }

/** Where rows stand whose deltas are read. */
export type DeltaPlace = Omit<VisitorPlace, 'table'> & { readonly table: PackedTable }

/**
 * A partition as it was read: its version, which was read before, and a delta that is in that version, as all before it
 * are.
 */
export interface DeltaState {
  readonly version: bigint
  readonly since: bigint
}

/**
 * What comes again is added again: what was read as a whole is read so again when deltas have made more than so many
 * rows of it.
 */
export function rowsMaxOf(rows: number): number {
  return rows * GROWTH_MAX + ROWS_ADDED_MIN
}

/** Numbers parts of batches: they grow within an epoch of a lane, and from epoch to epoch. */
export class DeltaNumbers {
  #count = 0n

  number<P extends Part>({ epoch }: Lease, parts: readonly P[]): Delta<P>[] {
    return parts.map((part) => ({ ...part, number: (BigInt(epoch) << EPOCH_BITS) + ++this.#count, step: randomStep() }))
  }
}

/**
 * What tells of a delta: with its block, or where that stands already. It goes to the partition of the rows, and must
 * be there before the versions change.
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
 * A delta of an app, date and lane that versions of now have in them: the last but some, because the version of the
 * last may not be renewed yet; 0 when there are not so many. To be read before the rows.
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
 * What was added to a partition between a state and a version; undefined when that cannot be told. Every version is the
 * one before and the step of a delta: successive deltas are all that was added when their steps add up to what the
 * version has changed by. Else one was forgotten or is not there yet, or the partition was emptied.
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
    // What is too much was in the version before.
    while (missing < 0n) missing += added.shift()!.step
    if (missing === 0n) {
      const below = added
        .flatMap((each) => each.rows)
        .filter(({ key }) => place.prefix.every((value, at) => key[at] === value))
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
  const own = delta.get('block') as Uint8Array | null
  if (own) return own
  const [row] = await rowsOf(client, 'visitor-blocks-by-date.readOne', [app, date, lane, delta.get('place')])
  return row?.get('block') as Uint8Array | undefined
}
