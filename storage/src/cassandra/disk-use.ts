import type { Client } from 'cassandra-driver'
import type { DiskPart, DiskUse } from '@hopper/contracts'

const MIB = 1_048_576
const TIMEOUT_MS = 5_000
/** Each node reports its own tables, in a virtual table that Cassandra has since version 4. */
const QUERY = 'SELECT keyspace_name, table_name, mebibytes FROM system_views.disk_usage'

/**
 * Adds up what the tables of a keyspace take on all nodes, replicas included. Nodes do not report how much of their
 * disks is free.
 * @throws Error if a node does not answer: a sum without it would look as if data had gone
 */
export async function measureKeyspace(client: Client, keyspace: string): Promise<DiskUse> {
  const sizes = new Map<DiskPart, number>()
  for (const host of client.hosts.values()) {
    const { rows } = await client.execute(QUERY, [], {
      host,
      prepare: false,
      isIdempotent: true,
      readTimeout: TIMEOUT_MS,
    })
    for (const row of rows) {
      if (row.get('keyspace_name') !== keyspace) continue
      const part = partOf(row.get('table_name') as string)
      sizes.set(part, (sizes.get(part) ?? 0) + Number(row.get('mebibytes')) * MIB)
    }
  }
  return { parts: [...sizes].map(([part, bytes]) => ({ part, bytes })) }
}

function partOf(table: string): DiskPart {
  if (table === 'chunk_cells' || table.startsWith('span')) return 'archive'
  return table.startsWith('registry') ? 'registry' : 'tables'
}
