import type { Client } from 'cassandra-driver'
import type { Identity } from '../ports/tables.ts'
import { rowsOf } from './client/statements.ts'

/** Reads all identities of a device, ascending by place. */
export async function identitiesOf(client: Client, app: string, device: string): Promise<Identity[]> {
  const rows = await rowsOf(client, 'identity.all', [app, device])
  return rows.map((row) => ({ user: row.get('user') as string, place: Number(row.get('place')) }))
}
