import type { Client } from 'cassandra-driver'
import type { Key, VisitorTableName } from '../../ports/table-definitions.ts'
import { rowsOf, statement } from '../client/statements.ts'
import { digestRows, packDigest, unpackDigest, type VisitorDigest } from './visitor-digest.ts'
import { readVisitorRows } from '../visitors/visitor-rows.ts'

const DAY_MS = 86_400_000
const CELL_BYTES_MAX = 1_000_000
/** Fewer rows are read as fast as a digest. */
const ROWS_MIN = 100

/**
 * What a partition is, below which prefix, and which version of it is wanted; `undefined` where it was never written.
 */
export interface WantedVisitors {
  readonly table: VisitorTableName
  readonly date: string
  readonly lane: number
  readonly prefix: Key
  readonly version: bigint | undefined
}

/** whether hardly anyone comes to the date any more, so that a digest of it lasts */
export function isOver({ date, version }: Pick<WantedVisitors, 'date' | 'version'>): boolean {
  return version !== undefined && date < new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10)
}

/**
 * Reads the visitors of a partition: from its digest where there is one of this version, else from the rows, and makes
 * the digest of a date that is over.
 */
export async function readVisitors(client: Client, app: string, wanted: WantedVisitors): Promise<VisitorDigest> {
  const { table, date, lane, prefix, version } = wanted
  const over = isOver(wanted)
  const key = [app, date, lane, table, JSON.stringify(prefix)]
  if (over) {
    const [found] = await rowsOf(client, 'visitor-digests.read', key)
    const digest = found?.get('version') === version ? unpackedOrNot(found!.get('digest') as Uint8Array) : undefined
    if (digest) return digest
  }
  const rows = await readVisitorRows(client, { table, app, date, lane, prefix })
  const digest = digestRows(rows)
  if (over && rows.length >= ROWS_MIN) await keep(client, [...key, version], digest)
  return digest
}

/** It only saves time, so it may fail. */
async function keep(client: Client, key: readonly unknown[], digest: VisitorDigest): Promise<void> {
  const packed = packDigest(digest)
  if (packed.length > CELL_BYTES_MAX) return
  await client
    .execute(statement('visitor-digests.insert'), [...key, packed], { prepare: true, isIdempotent: true })
    .catch(() => undefined)
}

/** A damaged digest is made again. */
function unpackedOrNot(packed: Uint8Array): VisitorDigest | undefined {
  try {
    return unpackDigest(packed)
  } catch {
    return undefined
  }
}
