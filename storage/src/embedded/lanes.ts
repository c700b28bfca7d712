import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import { assertLeaseHolds } from '../lane-lease.ts'
import type { Lanes, Lease } from '../ports/tables.ts'
import { transaction } from './sqlite.ts'

interface LaneRow {
  owner: string | null
  epoch: number
  position: number
}

/**
 * Ownership of lanes in one process. The directory's lock proves that every owner of an earlier process is dead, so a
 * lane is taken immediately. An earlier owner in this process is fenced by the epoch, which `apply` checks in its own
 * transaction. So a lease does not expire: on a machine so busy that renewals come late, an expiry would only interrupt
 * counting.
 */
export class EmbeddedLanes implements Lanes {
  readonly #database: DatabaseSync
  readonly #lanes: number

  constructor(database: DatabaseSync, lanes: number) {
    this.#database = database
    this.#lanes = lanes
  }

  async acquire(lane: number, owner: string): Promise<Lease> {
    return transaction(this.#database, () => {
      const epoch = (this.#row(lane)?.epoch ?? 0) + 1
      this.#database
        .prepare(
          `INSERT INTO lanes (lane, owner, epoch, renewed_at) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, renewed_at = excluded.renewed_at`,
        )
        .run(lane, owner, epoch, Date.now())
      return { lane, owner, epoch, expiresAt: Infinity }
    })
  }

  async renew(lease: Lease): Promise<Lease> {
    this.assertTaken(lease)
    return { ...lease, expiresAt: Infinity }
  }

  async release(lease: Lease): Promise<void> {
    this.#database
      .prepare('UPDATE lanes SET owner = NULL WHERE lane = ? AND owner = ? AND epoch = ?')
      .run(lease.lane, lease.owner, lease.epoch)
  }

  async commit(lease: Lease, position: number): Promise<void> {
    this.assertTaken(lease)
    this.#database
      .prepare('UPDATE lanes SET position = ? WHERE lane = ? AND epoch = ?')
      .run(position, lease.lane, lease.epoch)
  }

  async positions(): Promise<readonly number[]> {
    return Array.from({ length: this.#lanes }, (_, lane) => this.#row(lane)?.position ?? 0)
  }

  /** Throws when the lease has expired or the lane has another owner. */
  assertOwned(lease: Lease): void {
    assertLeaseHolds(lease)
    this.assertTaken(lease)
  }

  assertTaken({ lane, owner, epoch }: Lease): void {
    const row = this.#row(lane)
    if (row?.owner !== owner || row.epoch !== epoch)
      throw new HopperError('HOP_STORE_UNAVAILABLE', `Lane ${lane} belongs to another owner.`)
  }

  #row(lane: number): LaneRow | undefined {
    return this.#database.prepare('SELECT owner, epoch, position FROM lanes WHERE lane = ?').get(lane) as
      LaneRow | undefined
  }
}
