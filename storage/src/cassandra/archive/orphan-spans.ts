import { HopperError } from '@hopper/contracts'
import type { Client, types } from 'cassandra-driver'
import type { ChunkCells } from './chunk-cells.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import type { ManifestKey, Manifests } from './manifest.ts'
import { rowsOf, statement } from '../client/statements.ts'

/**
 * Cells of a merged span stay for ten minutes, for readers that listed before. By then the writer of a span has ended
 * or lost its lease.
 */
const CHECK_AFTER_MS = 600_000
const SWEEP_INTERVAL_MS = 600_000
const CHECK_CONCURRENCY = 8
const PURGE_TRIES = 10

/** A span whose cells may have to be deleted. */
export interface LedgerSpan extends ManifestKey {
  readonly span: types.TimeUuid
  readonly parts: number
}

interface LedgerEntry extends LedgerSpan {
  /** ms */
  readonly writtenAt: number
}

/**
 * Finds the cells that no reader needs. Every span is entered into a ledger before its cells are written and before it
 * is merged into another. Some time later the manifest shows whether it is visible. So neither a crash nor an unknown
 * outcome leaves cells behind permanently, and nothing visible is ever deleted.
 */
export class OrphanSpans {
  readonly #client: Client
  readonly #manifests: Manifests
  readonly #cells: ChunkCells
  readonly #sweptAt = new Map<number, number>()
  readonly #writing = new Set<string>()

  constructor(client: Client, manifests: Manifests, cells: ChunkCells) {
    this.#client = client
    this.#manifests = manifests
    this.#cells = cells
  }

  /** Enters a span. Must be called before its first cell is written, and before the span is merged into another. */
  async enter({ lane, span, app, month, parts }: LedgerSpan): Promise<void> {
    await this.#client.execute(statement('span-ledger.insert'), [lane, BigInt(Date.now()), span, app, month, parts], {
      prepare: true,
      isIdempotent: true,
    })
  }

  /** Runs `work`, which writes these spans. The sweep does not check them meanwhile, however long it takes. */
  async during<T>(spans: readonly types.TimeUuid[], work: () => Promise<T>): Promise<T> {
    for (const span of spans) this.#writing.add(String(span))
    try {
      return await work()
    } finally {
      for (const span of spans) this.#writing.delete(String(span))
    }
  }

  /**
   * Checks the due entries of a lane, at most every ten minutes. Only the lane's owner may call this. `now` is in ms.
   * Checked entries are removed by one range deletion when none of them has to be checked again, so that tombstones do
   * not pile up.
   */
  async sweep(lane: number, now = Date.now()): Promise<void> {
    if (now - (this.#sweptAt.get(lane) ?? -Infinity) < SWEEP_INTERVAL_MS) return
    this.#sweptAt.set(lane, now)
    const entries = await this.#entries(lane)
    const before = now - CHECK_AFTER_MS
    const later = new Set(entries.filter(({ writtenAt }) => writtenAt >= before).map(({ span }) => String(span)))
    // A span that was entered again later is due by its last entry.
    const due = entries.filter(({ span, writtenAt }) => writtenAt < before && !later.has(String(span)))
    const byManifest = new Map<string, LedgerEntry[]>()
    for (const entry of due.filter(({ span }) => !this.#writing.has(String(span)))) {
      const key = JSON.stringify([entry.app, entry.month])
      const others = byManifest.get(key)
      if (others) others.push(entry)
      else byManifest.set(key, [entry])
    }
    const checked = await mapConcurrent([...byManifest.values()], CHECK_CONCURRENCY, (some) =>
      this.#deleteOrphans(some[0]!, some),
    )
    if (checked.some((done) => !done) || due.some(({ span }) => this.#writing.has(String(span)))) return
    await this.#client.execute(statement('span-ledger.dropBefore'), [lane, BigInt(before)], {
      prepare: true,
      isIdempotent: true,
    })
  }

  /** Deletes the cells of an app's invisible spans at once, without waiting for readers that listed before. */
  async purge(lane: number, app: string): Promise<void> {
    const entries = (await this.#entries(lane)).filter(
      (entry) => entry.app === app && !this.#writing.has(String(entry.span)),
    )
    for (const some of Map.groupBy(entries, ({ month }) => month).values()) {
      for (let tries = 0; !(await this.#deleteOrphans(some[0]!, some)); tries++) {
        if (tries >= PURGE_TRIES)
          throw new HopperError('HOP_STORE_UNAVAILABLE', `The spans of ${app} change too fast to delete old ones.`)
      }
    }
  }

  async #entries(lane: number): Promise<LedgerEntry[]> {
    const rows = await rowsOf(this.#client, 'span-ledger.read', [lane])
    return rows.map((row) => ({
      lane,
      writtenAt: Number(row.get('written_at')),
      span: row.get('span') as types.TimeUuid,
      app: row.get('app') as string,
      month: row.get('month') as string,
      parts: row.get('parts') as number,
    }))
  }

  /** Deletes the cells of invisible spans. Returns false if the manifest changed meanwhile. */
  async #deleteOrphans(key: ManifestKey, entries: readonly LedgerEntry[]): Promise<boolean> {
    const state = await this.#manifests.state(key)
    const visible = new Set((await this.#manifests.read(key)).map(({ span }) => String(span)))
    const useless = new Map(
      entries.filter(({ span }) => !visible.has(String(span))).map((entry) => [String(entry.span), entry]),
    )
    // Changing the revision prevents an attempt that was stopped before its last step from ever making visible a span
    // without cells.
    if (useless.size > 0 && !(await this.#manifests.change(key, state, {}))) return false
    await mapConcurrent([...useless.values()], CHECK_CONCURRENCY, ({ span, parts }) => this.#cells.drop(span, parts))
    return true
  }
}
