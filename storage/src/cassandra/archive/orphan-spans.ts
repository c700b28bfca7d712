import type { Client, types } from 'cassandra-driver'
import type { ChunkCells } from './chunk-cells.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import type { ManifestKey, Manifests } from './manifest.ts'
import { rowsOf, statement } from '../client/statements.ts'

/**
 * Cells of a merged span stay for ten minutes, for readers that listed before; whoever wrote a span has long ended or
 * lost its lease then.
 */
const JUDGED_AFTER_MS = 600_000
const SWEEP_EVERY_MS = 600_000
const JUDGED_AT_ONCE = 8

/** A span whose cells may have to go. */
export interface LedgerSpan extends ManifestKey {
  readonly span: types.TimeUuid
  readonly parts: number
}

interface LedgerEntry extends LedgerSpan {
  /** ms */
  readonly writtenAt: number
}

/**
 * Finds the cells that no reader needs. Every span is entered before its cells are written and before it is merged into
 * another; some time later the manifest tells what has become of it. So neither a crash nor an unknown outcome leaves
 * cells behind for ever, and nothing visible is ever dropped.
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

  /** To be called before the first cell is written, or before the span is merged into another. */
  async enter({ lane, span, app, month, parts }: LedgerSpan): Promise<void> {
    await this.#client.execute(statement('span-ledger.insert'), [lane, BigInt(Date.now()), span, app, month, parts], {
      prepare: true,
      isIdempotent: true,
    })
  }

  /** Runs `work`, that writes these spans; however long it takes, they are not judged meanwhile. */
  async during<T>(spans: readonly types.TimeUuid[], work: () => Promise<T>): Promise<T> {
    for (const span of spans) this.#writing.add(String(span))
    try {
      return await work()
    } finally {
      for (const span of spans) this.#writing.delete(String(span))
    }
  }

  /**
   * Judges what is due in a lane, every ten minutes at most. Only the lane's owner may call this. `now` in ms. What was
   * judged is forgotten in one step, when nothing is left to be judged again, so that its deletions do not pile up.
   */
  async sweep(lane: number, now = Date.now()): Promise<void> {
    if (now - (this.#sweptAt.get(lane) ?? -Infinity) < SWEEP_EVERY_MS) return
    this.#sweptAt.set(lane, now)
    const entries = await this.#entries(lane)
    const before = now - JUDGED_AFTER_MS
    const later = new Set(entries.filter(({ writtenAt }) => writtenAt >= before).map(({ span }) => String(span)))
    // A span that was entered again since waits for that.
    const due = entries.filter(({ span, writtenAt }) => writtenAt < before && !later.has(String(span)))
    const byManifest = new Map<string, LedgerEntry[]>()
    for (const entry of due.filter(({ span }) => !this.#writing.has(String(span)))) {
      const key = JSON.stringify([entry.app, entry.month])
      const others = byManifest.get(key)
      if (others) others.push(entry)
      else byManifest.set(key, [entry])
    }
    const judged = await mapConcurrent([...byManifest.values()], JUDGED_AT_ONCE, (some) => this.#judge(some[0]!, some))
    if (judged.some((done) => !done) || due.some(({ span }) => this.#writing.has(String(span)))) return
    await this.#client.execute(statement('span-ledger.dropBefore'), [lane, BigInt(before)], {
      prepare: true,
      isIdempotent: true,
    })
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

  /** Answers whether that could be done; not when the manifest changed meanwhile. */
  async #judge(key: ManifestKey, entries: readonly LedgerEntry[]): Promise<boolean> {
    const state = await this.#manifests.state(key)
    const visible = new Set((await this.#manifests.read(key)).map(({ span }) => String(span)))
    const useless = new Map(
      entries.filter(({ span }) => !visible.has(String(span))).map((entry) => [String(entry.span), entry]),
    )
    // The changed revision keeps an attempt that was stopped before its last step from ever making visible what has no
    // cells.
    if (useless.size > 0 && !(await this.#manifests.change(key, state, {}))) return false
    await mapConcurrent([...useless.values()], JUDGED_AT_ONCE, ({ span, parts }) => this.#cells.drop(span, parts))
    return true
  }
}
