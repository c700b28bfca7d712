import type { Client, types } from 'cassandra-driver'
import type { ChunkCells } from './chunk-cells.ts'
import { concurrently } from './concurrently.ts'
import type { ManifestKey, Manifests } from './manifest.ts'
import { rowsOf, statement } from './statements.ts'

/** How long the cells of a hidden span stay, for readers that listed before. */
const HIDDEN_KEPT_MS = 600_000
/** A span is judged when whoever wrote it has long ended or lost its lease. */
const JUDGED_AFTER_MS = HIDDEN_KEPT_MS + 60_000
const SWEEP_EVERY_MS = 60_000
const JUDGED_AT_ONCE = 8

/** A span whose cells may have to go. */
export interface LedgerSpan extends ManifestKey {
  readonly span: types.TimeUuid
  readonly parts: number
}

interface LedgerEntry extends LedgerSpan {
  readonly writtenAt: bigint
}

/**
 * Finds the cells that no reader needs. Every span is entered before its cells are written and before it is hidden; some time later the manifest tells
 * what has become of it. So neither a crash nor an unknown outcome leaves cells behind for ever, and nothing visible is ever dropped.
 */
export class SpanLedger {
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

  /** To be called before the first cell is written, or before the span is hidden. */
  async enter({ lane, span, app, month, parts }: LedgerSpan): Promise<void> {
    await this.#client.execute(statement('span-ledger.insert'), [lane, BigInt(Date.now()), span, app, month, parts], { prepare: true, isIdempotent: true })
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

  /** Judges what is due in a lane, once a minute at most. Only the lane's owner may call this. `now` in ms. */
  async sweep(lane: number, now = Date.now()): Promise<void> {
    if (now - (this.#sweptAt.get(lane) ?? -Infinity) < SWEEP_EVERY_MS) return
    this.#sweptAt.set(lane, now)
    const rows = await rowsOf(this.#client, 'span-ledger.due', [lane, BigInt(now - JUDGED_AFTER_MS)])
    const entries = rows.map((row): LedgerEntry => ({
      lane, writtenAt: row.get('written_at') as bigint, span: row.get('span') as types.TimeUuid,
      app: row.get('app') as string, month: row.get('month') as string, parts: row.get('parts') as number,
    }))
    const byManifest = new Map<string, LedgerEntry[]>()
    for (const entry of entries.filter(({ span }) => !this.#writing.has(String(span)))) {
      const key = JSON.stringify([entry.app, entry.month])
      byManifest.set(key, [...(byManifest.get(key) ?? []), entry])
    }
    await concurrently([...byManifest.values()], JUDGED_AT_ONCE, (some) => this.#judge(some[0]!, some, now))
  }

  async #judge(key: ManifestKey, entries: readonly LedgerEntry[], now: number): Promise<void> {
    const state = await this.#manifests.state(key)
    const known = new Map<string, number | undefined>()
    for (const { span, hiddenAt } of await this.#manifests.read(key)) known.set(String(span), hiddenAt)
    const [unknown, hidden, visible]: LedgerEntry[][] = [[], [], []]
    for (const entry of entries) {
      const id = String(entry.span)
      const hiddenAt = known.get(id)
      if (!known.has(id)) unknown!.push(entry)
      else if (hiddenAt === undefined) visible!.push(entry)
      else if (hiddenAt < now - HIDDEN_KEPT_MS) hidden!.push(entry)
    }
    // The changed revision keeps an attempt that was stopped before its last step from ever making visible what has no cells.
    const drop = [...unknown!, ...hidden!]
    if (drop.length > 0 && !(await this.#manifests.change(key, state, { drop: hidden!.map(({ span }) => span) }))) return
    await concurrently(drop, JUDGED_AT_ONCE, ({ span, parts }) => this.#cells.drop(span, parts))
    await concurrently([...drop, ...visible!], JUDGED_AT_ONCE, ({ lane, writtenAt, span }) =>
      this.#client.execute(statement('span-ledger.drop'), [lane, writtenAt, span], { prepare: true, isIdempotent: true }))
  }
}
