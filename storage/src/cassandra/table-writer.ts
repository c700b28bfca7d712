import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import type { CounterChange, CounterPartition, Identity, LaneBatch, Lease, Partition, TableWriter } from '../ports/tables.ts'
import { concurrently } from './concurrently.ts'
import { idempotentWrites } from './idempotent-writes.ts'
import type { CassandraSettings } from './settings.ts'
import { queryFile, rowsOf, statement } from './statements.ts'
import { renewVersions } from './visitor-versions.ts'
import { Watermarks } from './watermarks.ts'

const WRITES_AT_ONCE = 128
const IDS_PER_READ = 200
const IDS_PER_PAGE = 5_000

type Statement = { query: string; params: unknown[] }

/** Writes a lane's batches to Cassandra, counters exactly once by DESIGN section 5. */
export class CassandraTableWriter implements TableWriter {
  readonly #client: Client
  readonly #settings: CassandraSettings
  readonly #lanes = new Map<number, { epoch: number; watermarks: Watermarks }>()

  constructor(client: Client, settings: CassandraSettings) {
    this.#client = client
    this.#settings = settings
  }

  applied(lane: number, partitions: readonly CounterPartition[]): Promise<readonly number[]> {
    return (this.#lanes.get(lane)?.watermarks ?? new Watermarks(this.#client, lane)).read(partitions)
  }

  async firstPositions(lane: number, { app, date }: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const parts = Array.from({ length: Math.ceil(eventIds.length / IDS_PER_READ) }, (_, at) => eventIds.slice(at * IDS_PER_READ, (at + 1) * IDS_PER_READ))
    const found = await concurrently(parts, WRITES_AT_ONCE, (ids) => rowsOf(this.#client, 'seen-by-date.first', [app, date, lane, ids]))
    return new Map(found.flat().map((row) => [row.get('event_id') as string, Number(row.get('position'))]))
  }

  async *seenIds(lane: number, { app, date }: Partition): AsyncIterable<readonly string[]> {
    let pageState: string | undefined
    do {
      const page = await this.#client.execute(statement('seen-by-date.ids'), [app, date, lane], { prepare: true, isIdempotent: true, fetchSize: IDS_PER_PAGE, ...(pageState ? { pageState } : {}) })
      if (page.rowLength > 0) yield page.rows.map((row) => row.get('event_id') as string)
      pageState = page.pageState ?? undefined
    } while (pageState)
  }

  async identities(app: string, devices: readonly string[], before: number): Promise<ReadonlyMap<string, Identity>> {
    const found = new Map<string, Identity>()
    await concurrently(devices, WRITES_AT_ONCE, async (device) => {
      const [row] = await rowsOf(this.#client, 'identity.lastBefore', [app, device, BigInt(before)])
      if (row) found.set(device, { user: row.get('user') as string, place: Number(row.get('place')) })
    })
    return found
  }

  async apply(lease: Lease, batch: LaneBatch): Promise<void> {
    const watermarks = this.#watermarksOf(lease)
    await watermarks.check(batch.counters)
    this.#checkLease(lease)
    await concurrently(idempotentWrites(batch), WRITES_AT_ONCE, (statements) => this.#writeIdempotent(statements))
    await renewVersions(this.#client, batch)
    await this.#count(lease, batch.counters, watermarks)
  }

  #watermarksOf({ lane, epoch }: Lease): Watermarks {
    let own = this.#lanes.get(lane)
    if (!own || own.epoch !== epoch) this.#lanes.set(lane, (own = { epoch, watermarks: new Watermarks(this.#client, lane) }))
    return own.watermarks
  }

  /** A write must have ended, one way or the other, before the next owner may begin; that owner waits `unknownOutcomeMs` longer than the lease. */
  #checkLease(lease: Lease): void {
    if (performance.now() >= lease.expiresAt) throw new HopperError('HOP_STORE_UNAVAILABLE', `The lease of lane ${lease.lane} has run out.`)
  }

  async #writeIdempotent(statements: readonly Statement[]): Promise<void> {
    await this.#client.batch([...statements], { prepare: true, logged: false, isIdempotent: true })
  }

  /**
   * One counter batch for each partition: deltas and watermark in one atomic mutation. A failure may be an unknown outcome: the call rejects only after
   * the server can no longer apply anything that was sent, so that what is read next is final (rule 4).
   */
  async #count(lease: Lease, changes: readonly CounterChange[], watermarks: Watermarks): Promise<void> {
    let lastSent = 0
    try {
      await concurrently(changes, WRITES_AT_ONCE, async (change) => {
        this.#checkLease(lease)
        lastSent = performance.now()
        await this.#client.batch(counterBatch(lease.lane, change), { prepare: true, counter: true, isIdempotent: false })
        watermarks.advance(change, change.to)
      })
    } catch (error) {
      watermarks.forget()
      if (lastSent > 0) await pause(Math.max(0, lastSent + this.#settings.unknownOutcomeMs - performance.now()))
      throw new HopperError('HOP_STORE_UNAVAILABLE', `Lane ${lease.lane} could not be counted.`, { cause: error })
    }
  }
}

function counterBatch(lane: number, change: CounterChange): Statement[] {
  const file = queryFile(change.table)
  const partition = [change.app, change.date, lane]
  const add = statement(`${file}.add`)
  return [
    ...change.rows.map(({ key, deltas }) => ({ query: add, params: [...deltas.map(BigInt), ...partition, ...key] })),
    { query: statement(`${file}.mark`), params: [BigInt(change.to - change.from), ...partition] },
  ]
}
