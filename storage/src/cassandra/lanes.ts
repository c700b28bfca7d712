import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import { types, type Client } from 'cassandra-driver'
import { assertLeaseHolds } from '../lane-lease.ts'
import type { Lanes, Lease } from '../ports/tables.ts'
import { mapConcurrent } from './client/map-concurrent.ts'
import { serialConsistency, type CassandraSettings } from './client/settings.ts'
import { frozenNodesOf, type FrozenNodes } from './client/nodes/frozen-nodes.ts'
import { rowsOf, statement } from './client/statements.ts'

const POLL_MS = 200
const ALIVE_WAITS = 2

interface LaneRow {
  readonly owner: string | null
  readonly epoch: number
  readonly leaseMs: number
  readonly renewed: string
}

/**
 * Ownership of lanes by lightweight transactions: one per take, renewal, release and position commit, never one per
 * event.
 */
export class CassandraLanes implements Lanes {
  readonly #client: Client
  readonly #lanes: number
  readonly #settings: CassandraSettings
  readonly #frozen: FrozenNodes

  constructor(client: Client, lanes: number, settings: CassandraSettings, frozen = frozenNodesOf(client, settings)) {
    this.#client = client
    this.#lanes = lanes
    this.#settings = settings
    this.#frozen = frozen
  }

  /**
   * Trusts no clock of another machine: a lease has expired if it was not renewed while this process waited for its
   * duration.
   */
  async acquire(lane: number, owner: string): Promise<Lease> {
    const before = performance.now()
    let row = await this.#row(lane)
    if (!row) {
      if (await this.#transact('lanes.create', [lane, owner, this.#settings.leaseMs]))
        return this.#lease(lane, owner, 1, before)
      return this.acquire(lane, owner)
    }
    if (row.owner !== null) row = await this.#waitOut(lane, row)
    const taking = performance.now()
    if (
      await this.#transact('lanes.take', [
        owner,
        row.epoch + 1,
        this.#settings.leaseMs,
        lane,
        row.epoch,
        types.TimeUuid.fromString(row.renewed),
      ])
    ) {
      return this.#lease(lane, owner, row.epoch + 1, taking)
    }
    throw laneTaken(lane)
  }

  async renew(lease: Lease): Promise<Lease> {
    const before = performance.now()
    if (!(await this.#transact('lanes.renew', [lease.lane, lease.owner, lease.epoch]))) throw laneTaken(lease.lane)
    return this.#lease(lease.lane, lease.owner, lease.epoch, before)
  }

  async release(lease: Lease): Promise<void> {
    await this.#transact('lanes.release', [lease.lane, lease.owner, lease.epoch])
  }

  async commit(lease: Lease, position: number): Promise<void> {
    if (!(await this.#transact('lanes.commit', [BigInt(position), lease.lane, lease.owner, lease.epoch])))
      throw laneTaken(lease.lane)
  }

  async positions(): Promise<readonly number[]> {
    const lanes = Array.from({ length: this.#lanes }, (_, lane) => lane)
    return mapConcurrent(lanes, lanes.length, async (lane) =>
      Number((await rowsOf(this.#client, 'lanes.read', [lane]))[0]?.get('position') ?? 0),
    )
  }

  /** Throws HOP_STORE_UNAVAILABLE when the lease has expired or the lane has another owner. */
  async assertOwned(lease: Lease): Promise<void> {
    const { lane, owner, epoch } = lease
    const row = await this.#row(lane)
    if (row?.owner !== owner || row.epoch !== epoch) throw laneTaken(lane)
    assertLeaseHolds(lease)
  }

  /**
   * Waits until the other owner has released the lane, or has not renewed it for its lease, every node has answered
   * since (a frozen one may still have that owner's last write), and the maximum duration of such a write has passed.
   * An owner that keeps renewing is alive: after `ALIVE_WAITS` such periods the call rejects.
   */
  async #waitOut(lane: number, first: LaneRow): Promise<LaneRow> {
    const { unknownOutcomeMs } = this.#settings
    const end = performance.now() + ALIVE_WAITS * (first.leaseMs + unknownOutcomeMs)
    let seen = first
    let renewedAt = performance.now()
    let answeredAt: number | undefined
    for (;;) {
      if (answeredAt === undefined && performance.now() > end) throw laneTaken(lane)
      await pause(POLL_MS)
      const now = await this.#row(lane)
      if (!now || now.owner === null) return now ?? seen
      if (now.renewed !== seen.renewed) {
        renewedAt = performance.now()
        answeredAt = undefined
      }
      seen = now
      if (performance.now() - renewedAt < first.leaseMs) continue
      if (answeredAt !== undefined && performance.now() - answeredAt >= unknownOutcomeMs) return seen
      if (answeredAt === undefined) {
        await this.#frozen.whenAnswered()
        answeredAt = performance.now()
      }
    }
  }

  async #row(lane: number): Promise<LaneRow | undefined> {
    const options = { prepare: true, isIdempotent: true, consistency: serialConsistency(this.#settings) }
    const row = (await this.#client.execute(statement('lanes.read'), [lane], options)).first()
    if (!row) return undefined
    return {
      owner: row.get('owner') as string | null,
      epoch: row.get('epoch') as number,
      leaseMs: row.get('lease_ms') as number,
      renewed: String(row.get('renewed')),
    }
  }

  async #transact(name: string, parameters: unknown[]): Promise<boolean> {
    return (
      await this.#client.execute(statement(name), parameters, { prepare: true, isIdempotent: false })
    ).wasApplied()
  }

  #lease(lane: number, owner: string, epoch: number, since: number): Lease {
    return { lane, owner, epoch, expiresAt: since + this.#settings.leaseMs }
  }
}

function laneTaken(lane: number): HopperError {
  return new HopperError('HOP_STORE_UNAVAILABLE', `Lane ${lane} belongs to another owner.`)
}
