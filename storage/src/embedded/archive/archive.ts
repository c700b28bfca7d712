import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { HopperError, type ChunkSummary, type EncodedChunk } from '@hopper/contracts'
import type { Archive, ChunkKey, ChunkRange, SpanKey } from '../../ports/archive.ts'
import type { Lease, Partition } from '../../ports/tables.ts'
import { datesOfSpan, spanName, wholeSpans, wrongLane } from '../../spans.ts'
import { prepareArchive, type ArchiveQueries } from './archive-queries.ts'
import type { EmbeddedLanes } from '../lanes.ts'
import { ReaderThread } from '../threads/reader-thread.ts'
import { transaction } from '../sqlite.ts'

/** Time that the cells of replaced chunks stay for readers that listed before. */
const REPLACED_KEPT_MS = 600_000
const SWEEP_MS = 10_000

export interface EmbeddedArchiveOptions {
  /** true if this handle deletes replaced chunks; one handle per process does */
  readonly sweeps?: boolean
  /** time that replaced chunks stay, in ms */
  readonly keptMs?: number
  /** pause between two sweeps, in ms */
  readonly sweepMs?: number
}

/**
 * The archive in the database of the tables. The visible state changes by one transaction. Reads and the deletion of
 * replaced chunks have their own thread.
 */
export class EmbeddedArchive implements Archive {
  readonly #database: DatabaseSync
  readonly #lanes: EmbeddedLanes
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #thread: ReaderThread<ArchiveQueries>
  readonly #timer: NodeJS.Timeout | undefined
  readonly #keptMs: number
  #sweeping: Promise<void> = Promise.resolve()
  #closed = false

  constructor(database: DatabaseSync, file: string, lanes: EmbeddedLanes, options: EmbeddedArchiveOptions = {}) {
    const { sweeps = false, keptMs = REPLACED_KEPT_MS, sweepMs = SWEEP_MS } = options
    prepareArchive(database)
    this.#database = database
    this.#lanes = lanes
    this.#thread = new ReaderThread(new URL('./archive-thread', import.meta.url), file)
    this.#statements = prepareStatements(database)
    this.#keptMs = keptMs
    if (sweeps)
      this.#timer = setInterval(() => void (this.#sweeping = this.#sweeping.then(() => this.#sweep())), sweepMs).unref()
  }

  async covered(lane: number, partitions: readonly Partition[]): Promise<readonly number[]> {
    return partitions.map(({ app, date }) => this.#covered(app, date, lane))
  }

  async append(lease: Lease, chunks: readonly EncodedChunk[]): Promise<void> {
    const spans = wholeSpans(lease, chunks)
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      for (const span of spans) this.#mark(span)
      for (const chunk of chunks) this.#insert(chunk, chunk.summary.part, null)
    })
  }

  async replace(lease: Lease, old: readonly SpanKey[], merged: readonly EncodedChunk[]): Promise<void> {
    wholeSpans(lease, merged)
    // Inserted one by one, invisible, so that other work of this thread and the database gets its turn. The next sweep
    // deletes leftovers of a crash.
    for (const chunk of merged) {
      transaction(this.#database, () => {
        this.#lanes.assertOwned(lease)
        this.#insert(chunk, hiddenPart(chunk.summary), Date.now())
      })
      await setImmediate()
    }
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      for (const span of old) {
        if (span.lane !== lease.lane) throw wrongLane(lease, span.lane)
        const { changes } = this.#statements.hide.run(Date.now(), ...keyOf(span))
        if (changes === 0)
          throw new HopperError('HOP_INTERNAL', `The span ${spanName(span)} is gone: it was merged already.`)
      }
      for (const { summary } of merged) {
        // a span merged from a single span has the same key as that one: its hidden chunk is deleted first
        this.#drop(this.#statements.hidden.all(...keyOf(summary), summary.part) as { id: number }[])
        this.#statements.show.run(summary.part, ...keyOf(summary), hiddenPart(summary))
      }
    })
  }

  async purge(lease: Lease, app: string): Promise<void> {
    const hidden = this.#statements.hiddenOf.all(app, lease.lane) as { id: number }[]
    for (const chunk of hidden) {
      transaction(this.#database, () => {
        this.#lanes.assertOwned(lease)
        this.#drop([chunk])
      })
      await setImmediate()
    }
  }

  list(range: ChunkRange): Promise<readonly ChunkSummary[]> {
    return this.#thread.call('list', range)
  }

  columns(chunk: ChunkKey, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#thread.call('columns', chunk, names)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closed = true
    await this.#sweeping
    await this.#thread.close()
  }

  #covered(app: string, date: string, lane: number): number {
    return (this.#statements.covered.get(app, date, lane) as { position: number } | undefined)?.position ?? -1
  }

  #mark(span: readonly EncodedChunk[]): void {
    const { app, lane } = span[0]!.summary
    for (const { date, first_position, last_position } of datesOfSpan(span)) {
      const covered = this.#covered(app, date, lane)
      if (first_position <= covered)
        throw new HopperError(
          'HOP_INTERNAL',
          `${app} ${date} is archived up to ${covered}, the span begins at ${first_position}.`,
        )
      this.#statements.mark.run(app, date, lane, last_position)
    }
  }

  #insert({ summary, columns }: EncodedChunk, part: number, replacedAt: number | null): void {
    this.#drop(this.#statements.hidden.all(...keyOf(summary), part) as { id: number }[])
    const { min_time, max_time } = summary
    const { lastInsertRowid } = this.#statements.insert.run(
      ...keyOf(summary),
      part,
      min_time,
      max_time,
      JSON.stringify(summary),
      replacedAt,
    )
    for (const [name, cell] of columns) this.#statements.cell.run(lastInsertRowid, name, cell)
  }

  /** Deletes replaced chunks. A failed sweep is retried later: leftovers only cost space. */
  async #sweep(): Promise<void> {
    const before = Date.now() - this.#keptMs
    let swept = 1
    while (swept > 0 && !this.#closed) swept = await this.#thread.call('sweep', before).catch(() => 0)
  }

  #drop(chunks: readonly { id: number }[]): void {
    for (const { id } of chunks) {
      this.#statements.dropCells.run(id)
      this.#statements.drop.run(id)
    }
  }
}

function keyOf({ app, date, lane, first_position, last_position }: SpanKey): [string, string, number, number, number] {
  return [app, date, lane, first_position, last_position]
}

/** The temporary number of a part while its span is being written. */
function hiddenPart({ part }: ChunkSummary): number {
  return -1 - part
}

function prepareStatements(
  database: DatabaseSync,
): Record<
  'covered' | 'mark' | 'insert' | 'cell' | 'hide' | 'hidden' | 'hiddenOf' | 'show' | 'drop' | 'dropCells',
  StatementSync
> {
  const key = 'app = ? AND date = ? AND lane = ? AND first_position = ? AND last_position = ?'
  return {
    covered: database.prepare('SELECT position FROM archived WHERE app = ? AND date = ? AND lane = ?'),
    mark: database.prepare(
      'INSERT INTO archived VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = max(position, excluded.position)',
    ),
    insert: database.prepare(`INSERT INTO chunks (
      app, date, lane, first_position, last_position, part, min_time, max_time, summary, replaced_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    cell: database.prepare('INSERT INTO chunk_cells VALUES (?, ?, ?)'),
    hide: database.prepare(`UPDATE chunks SET replaced_at = ? WHERE ${key} AND replaced_at IS NULL`),
    hidden: database.prepare(`SELECT id FROM chunks WHERE ${key} AND part = ? AND replaced_at IS NOT NULL`),
    hiddenOf: database.prepare('SELECT id FROM chunks WHERE app = ? AND lane = ? AND replaced_at IS NOT NULL'),
    show: database.prepare(`UPDATE chunks SET part = ?, replaced_at = NULL WHERE ${key} AND part = ?`),
    drop: database.prepare('DELETE FROM chunks WHERE id = ?'),
    dropCells: database.prepare('DELETE FROM chunk_cells WHERE chunk = ?'),
  }
}
