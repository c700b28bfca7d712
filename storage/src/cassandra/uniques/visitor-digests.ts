import type { Client } from 'cassandra-driver'
import type { Key, VisitorTableName } from '../../ports/table-definitions.ts'
import { rowsOf, statement } from '../client/statements.ts'
import { digestRows, packDigest, unpackDigest, type VisitorDigest } from './visitor-digest.ts'
import { readVisitorRows } from '../visitors/visitor-rows.ts'

const DAY_MS = 86_400_000
const CELL_BYTES_MAX = 1_000_000
/** Fewer rows are read as fast as a digest. */
const ROWS_MIN = 100

/** A partition, a prefix of its key, and the wanted version; `undefined` if the partition was never written. */
export interface WantedVisitors {
  readonly table: VisitorTableName
  readonly date: string
  readonly lane: number
  readonly prefix: Key
  readonly version: bigint | undefined
}

/** True if hardly any visitors of the date arrive any more, so that a digest of it lasts. */
export function isQuietDate({ date, version }: Pick<WantedVisitors, 'date' | 'version'>): boolean {
  return version !== undefined && date < new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10)
}

/**
 * Reads the visitors of a partition from its digest if that has the wanted version, else from the rows. Writes a digest
 * for a date that is over.
 */
export async function readVisitors(client: Client, app: string, wanted: WantedVisitors): Promise<VisitorDigest> {
  const { table, date, lane, prefix, version } = wanted
  const isQuiet = isQuietDate(wanted)
  const key = [app, date, lane, table, JSON.stringify(prefix)]
  if (isQuiet) {
    const [found] = await rowsOf(client, 'visitor-digests.read', key)
    const digest = found?.get('version') === version ? tryUnpack(found!.get('digest') as Uint8Array) : undefined
    if (digest) return digest
  }
  const rows = await readVisitorRows(client, { table, app, date, lane, prefix })
  const digest = digestRows(rows)
  if (isQuiet && rows.length >= ROWS_MIN) await storeDigest(client, [...key, version], digest)
  return digest
}

/** Stores a digest. It only saves time, so failures are ignored. */
async function storeDigest(client: Client, key: readonly unknown[], digest: VisitorDigest): Promise<void> {
  const packed = packDigest(digest)
  if (packed.length > CELL_BYTES_MAX) return
  await client
    .execute(statement('visitor-digests.insert'), [...key, packed], { prepare: true, isIdempotent: true })
    .catch(() => undefined)
}

/** Returns undefined for a damaged digest, which is then written again. */
function tryUnpack(packed: Uint8Array): VisitorDigest | undefined {
  try {
    return unpackDigest(packed)
  } catch {
    return undefined
  }
}
