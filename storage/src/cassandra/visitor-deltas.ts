import type { Client, types } from 'cassandra-driver'
import type { Lease } from '../ports/tables.ts'
import { randomStep } from './random-step.ts'
import { rowsOf, statement, type Statement } from './statements.ts'
import { visitorsOf, type PackedTable, type VisitorRow } from './visitor-block.ts'
import type { Part } from './visitor-parts.ts'
import type { VisitorPlace } from './visitor-place.ts'

const EPOCH_BITS = 32n

/** A part of a batch with its place among those of its lane, and the step by which it changes the versions of its tables. */
export type Delta<P extends Part = Part> = P & { readonly number: bigint; readonly step: bigint }

/** Where rows stand whose deltas are read. */
export type DeltaPlace = Omit<VisitorPlace, 'table'> & { readonly table: PackedTable }

/** A partition as it was read: its version, which was read before, and the last delta that was there before. */
export interface DeltaState {
  readonly version: bigint
  readonly last: bigint
}

/** Numbers parts of batches: they grow within an epoch of a lane, and from epoch to epoch. */
export class DeltaNumbers {
  #count = 0n

  number<P extends Part>({ epoch }: Lease, parts: readonly P[]): Delta<P>[] {
    return parts.map((part) => ({ ...part, number: (BigInt(epoch) << EPOCH_BITS) + ++this.#count, step: randomStep() }))
  }
}

/** What tells of a delta: with its block, or where that stands already. It goes to the partition of the rows, and must be there before the versions change. */
export function deltaWrite(lane: number, { app, date, number, step }: Delta, block: Buffer | types.TimeUuid): Statement {
  const isBlock = Buffer.isBuffer(block)
  return { query: statement(isBlock ? 'visitor-deltas.insert' : 'visitor-deltas.insertPlace'), params: [app, date, lane, number, step, block] }
}

/** The number of the last delta of an app, date and lane, 0 when there is none. To be read before the rows. */
export async function lastDelta(client: Client, { app, date, lane }: Pick<DeltaPlace, 'app' | 'date' | 'lane'>): Promise<bigint> {
  const [row] = await rowsOf(client, 'visitor-deltas.last', [app, date, lane])
  return (row?.get('number') as bigint | undefined) ?? 0n
}

/**
 * What was added to a partition between a state and a version; undefined when that can not be told. Every version is the one before and the step of a
 * delta: the deltas after the last one are all that was added when their steps add up to what the version has changed by. Else one was forgotten, was
 * there before its step or is not there yet, or the partition was emptied.
 */
export async function rowsSince(client: Client, place: DeltaPlace, { version, last }: DeltaState, now: bigint): Promise<{ rows: VisitorRow[]; last: bigint } | undefined> {
  const rows: VisitorRow[] = []
  let reached = version
  for (const delta of await rowsOf(client, 'visitor-deltas.after', [place.app, place.date, place.lane, last])) {
    const block = await blockOf(client, place, delta)
    if (!block) return undefined
    const added = visitorsOf(block, place.table, [])
    if (added.length === 0) continue
    reached += delta.get('step') as bigint
    rows.push(...added.filter(({ key }) => place.prefix.every((value, at) => key[at] === value)))
    if (reached === now) return { rows, last: delta.get('number') as bigint }
  }
  return undefined
}

async function blockOf(client: Client, { app, date, lane }: DeltaPlace, delta: types.Row): Promise<Uint8Array | undefined> {
  const own = delta.get('block') as Uint8Array | null
  if (own) return own
  const [row] = await rowsOf(client, 'visitor-blocks-by-date.readOne', [app, date, lane, delta.get('place')])
  return row?.get('block') as Uint8Array | undefined
}
