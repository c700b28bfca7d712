import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { HopperError, type ChunkSummary, type EncodedChunk } from '@hopper/contracts'
import type { Archive, ChunkKey, ChunkRange, SpanKey } from '../ports/archive.ts'
import type { Lease, Partition } from '../ports/tables.ts'
import { prepareArchive, type ArchiveQueries } from './archive-queries.ts'
import type { EmbeddedLanes } from './lanes.ts'
import { ReaderThread } from './reader-thread.ts'
import { transaction } from './sqlite.ts'

/** How long the cells of replaced chunks stay for readers that listed before. */
const REPLACED_KEPT_MS = 600_000

/** The archive in the database of the tables: what is appended or replaced is one transaction, reads have a thread of their own. */
export class EmbeddedArchive implements Archive {
  readonly #database: DatabaseSync
  readonly #lanes: EmbeddedLanes
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #thread: ReaderThread<ArchiveQueries>

  constructor(database: DatabaseSync, file: string, lanes: EmbeddedLanes) {
    prepareArchive(database)
    this.#database = database
    this.#lanes = lanes
    this.#thread = new ReaderThread('archive-thread', file)
    this.#statements = prepareStatements(database)
  }

  async covered(lane: number, partitions: readonly Partition[]): Promise<readonly number[]> {
    return partitions.map(({ app, date }) => this.#covered(app, date, lane))
  }

  async append(lease: Lease, chunks: readonly EncodedChunk[]): Promise<void> {
    assertWhole(chunks)
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      this.#sweep()
      const spans = new Map(chunks.map(({ summary }) => [spanName(summary), summary]))
      for (const span of [...spans.values()].sort((a, b) => a.first_position - b.first_position)) this.#mark(lease, span)
      for (const chunk of chunks) this.#insert(chunk)
    })
  }

  async replace(lease: Lease, old: readonly SpanKey[], merged: readonly EncodedChunk[]): Promise<void> {
    assertWhole(merged)
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      this.#sweep()
      for (const span of old) {
        const { app, date, lane, first_position, last_position } = span
        if (lane !== lease.lane) throw wrongLane(lease, lane)
        const { changes } = this.#statements.hide.run(Date.now(), app, date, lane, first_position, last_position)
        if (changes === 0) throw new HopperError('HOP_INTERNAL', `The span ${spanName(span)} is gone: it was merged already.`)
      }
      for (const chunk of merged) this.#insert(chunk)
    })
  }

  list(range: ChunkRange): Promise<readonly ChunkSummary[]> {
    return this.#thread.ask('list', range)
  }

  columns(chunk: ChunkKey, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#thread.ask('columns', chunk, names)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  #covered(app: string, date: string, lane: number): number {
    return (this.#statements.covered.get(app, date, lane) as { position: number } | undefined)?.position ?? -1
  }

  #mark(lease: Lease, { app, date, lane, first_position, last_position }: ChunkSummary): void {
    if (lane !== lease.lane) throw wrongLane(lease, lane)
    const covered = this.#covered(app, date, lane)
    if (first_position <= covered) throw new HopperError('HOP_INTERNAL', `${app} ${date} is archived up to ${covered}, the span begins at ${first_position}.`)
    this.#statements.mark.run(app, date, lane, last_position)
  }

  #insert({ summary, columns }: EncodedChunk): void {
    const { app, date, lane, first_position, last_position, part, min_time, max_time } = summary
    // a merged span of one span has its key: the hidden one gives way
    this.#drop(this.#statements.hidden.all(app, date, lane, first_position, last_position, part) as { id: number }[])
    const { lastInsertRowid } = this.#statements.insert.run(app, date, lane, first_position, last_position, part, min_time, max_time, JSON.stringify(summary))
    for (const [name, cell] of columns) this.#statements.cell.run(lastInsertRowid, name, cell)
  }

  #sweep(): void {
    this.#drop(this.#statements.old.all(Date.now() - REPLACED_KEPT_MS) as { id: number }[])
  }

  #drop(chunks: readonly { id: number }[]): void {
    for (const { id } of chunks) {
      this.#statements.dropCells.run(id)
      this.#statements.drop.run(id)
    }
  }
}

function spanName({ app, date, lane, first_position, last_position }: SpanKey): string {
  return `${app}/${date}/${lane}/${first_position}-${last_position}`
}

function wrongLane(lease: Lease, lane: number): HopperError {
  return new HopperError('HOP_INTERNAL', `The lease of lane ${lease.lane} can not write lane ${lane}.`)
}

/** A span without one of its parts would lose events for every reader. */
function assertWhole(chunks: readonly EncodedChunk[]): void {
  const parts = new Map<string, Set<number>>()
  for (const { summary } of chunks) {
    const name = spanName(summary)
    parts.set(name, (parts.get(name) ?? new Set()).add(summary.part))
  }
  for (const { summary } of chunks) {
    if (parts.get(spanName(summary))!.size !== summary.parts) throw new HopperError('HOP_INTERNAL', `The span ${spanName(summary)} lacks a part.`)
  }
}

function prepareStatements(
  database: DatabaseSync,
): Record<'covered' | 'mark' | 'insert' | 'cell' | 'hide' | 'hidden' | 'old' | 'drop' | 'dropCells', StatementSync> {
  const key = 'app = ? AND date = ? AND lane = ? AND first_position = ? AND last_position = ?'
  return {
    covered: database.prepare('SELECT position FROM archived WHERE app = ? AND date = ? AND lane = ?'),
    mark: database.prepare('INSERT INTO archived VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = max(position, excluded.position)'),
    insert: database.prepare(`INSERT INTO chunks (app, date, lane, first_position, last_position, part, min_time, max_time, summary)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    cell: database.prepare('INSERT INTO chunk_cells VALUES (?, ?, ?)'),
    hide: database.prepare(`UPDATE chunks SET replaced_at = ? WHERE ${key} AND replaced_at IS NULL`),
    hidden: database.prepare(`SELECT id FROM chunks WHERE ${key} AND part = ? AND replaced_at IS NOT NULL`),
    old: database.prepare('SELECT id FROM chunks WHERE replaced_at <= ?'),
    drop: database.prepare('DELETE FROM chunks WHERE id = ?'),
    dropCells: database.prepare('DELETE FROM chunk_cells WHERE chunk = ?'),
  }
}
