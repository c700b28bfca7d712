import { HopperError, type ChunkSummary, type EncodedChunk } from '@hopper/contracts'
import { types, type Client } from 'cassandra-driver'
import type { Archive, ChunkKey, ChunkRange, SpanKey } from '../../ports/archive.ts'
import type { Lease, Partition } from '../../ports/tables.ts'
import { assertLeaseHolds } from '../../lane-lease.ts'
import { datesOfSpan, spanName, wholeSpans } from '../../spans.ts'
import { ChunkCells, chunkDeleted } from './chunk-cells.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import type { CassandraLanes } from '../lanes.ts'
import { deletedRangesOf } from './deleted-ranges.ts'
import {
  manifestOf,
  Manifests,
  type ListedChunk,
  type ManifestChange,
  type ManifestKey,
  type ManifestState,
} from './manifest.ts'
import { SpanIds } from './span-ids.ts'
import { OrphanSpans } from './orphan-spans.ts'
import { SpanMonths } from './span-months.ts'

const READ_CONCURRENCY = 64
const CHANGE_CONCURRENCY = 8
const ATTEMPTS_MAX = 5

interface Span {
  readonly span: types.TimeUuid
  readonly chunks: readonly EncodedChunk[]
}

/**
 * The archive in Cassandra. The cells of a span are written first, under their own id; then one conditional change of
 * its manifest makes the whole span visible. Only that change counts, so leftovers of a failed attempt, or of an owner
 * that has lost the lane, are never seen. The ledger finds and deletes them.
 */
export class CassandraArchive implements Archive {
  readonly #lanes: CassandraLanes
  readonly #manifests: Manifests
  readonly #cells: ChunkCells
  readonly #ledger: OrphanSpans
  readonly #months: SpanMonths
  readonly #ids = new SpanIds()

  constructor(client: Client, lanes: CassandraLanes, serial: types.consistencies) {
    this.#lanes = lanes
    this.#manifests = new Manifests(client, serial)
    this.#cells = new ChunkCells(client)
    this.#ledger = new OrphanSpans(client, this.#manifests, this.#cells)
    this.#months = new SpanMonths(client)
  }

  async covered(lane: number, partitions: readonly Partition[]): Promise<readonly number[]> {
    const keys = new Map(
      partitions.map((partition) => [manifestName(manifestOf(lane, partition)), manifestOf(lane, partition)]),
    )
    const states = await mapConcurrent(
      [...keys],
      READ_CONCURRENCY,
      async ([name, key]) => [name, await this.#manifests.state(key)] as const,
    )
    const byName = new Map(states)
    return partitions.map((partition) =>
      coveredIn(byName.get(manifestName(manifestOf(lane, partition)))!, partition.date),
    )
  }

  async append(lease: Lease, chunks: readonly EncodedChunk[]): Promise<void> {
    const byManifest = new Map<string, Span[]>()
    for (const parts of wholeSpans(lease, chunks)) {
      const name = manifestName(manifestOf(lease.lane, parts[0]!.summary))
      byManifest.set(name, [...(byManifest.get(name) ?? []), { span: types.TimeUuid.now(), chunks: parts }])
    }
    await this.#lanes.assertOwned(lease)
    await this.#sweep(lease.lane)
    await mapConcurrent([...byManifest.values()], CHANGE_CONCURRENCY, (spans) => this.#append(lease, spans))
  }

  async replace(lease: Lease, old: readonly SpanKey[], merged: readonly EncodedChunk[]): Promise<void> {
    const spans = wholeSpans(lease, merged).map((chunks) => ({ span: types.TimeUuid.now(), chunks }))
    const [key, ...others] = new Map(
      [...old, ...merged.map(({ summary }) => summary)].map((span) => {
        const manifest = manifestOf(span.lane, span)
        return [manifestName(manifest), manifest]
      }),
    ).values()
    if (!key) return
    if (others.length > 0 || key.lane !== lease.lane)
      throw new HopperError('HOP_INTERNAL', 'Only spans of one app, lane and month can be merged.')
    await this.#lanes.assertOwned(lease)
    await this.#sweep(lease.lane)
    const found = only(old, await this.#manifests.read(key))
    const replaced = new Map(found.map(({ span, summary }) => [String(span), { span, ...key, parts: summary.parts }]))
    await mapConcurrent([...replaced.values()], CHANGE_CONCURRENCY, (entry) => this.#ledger.enter(entry))
    await this.#write(
      lease,
      key,
      spans,
      async () => {
        const chunks = await this.#manifests.read(key)
        return { add: spans, drop: deletedRangesOf(chunks, only(old, chunks), spans) }
      },
      (chunks) => isMade(spans, chunks) && chunks.every(({ span }) => !replaced.has(String(span))),
    )
  }

  async purge(lease: Lease, app: string): Promise<void> {
    await this.#lanes.assertOwned(lease)
    await this.#ledger.purge(lease.lane, app)
  }

  async list({ app, from, to, lane }: ChunkRange): Promise<readonly ChunkSummary[]> {
    const keys = (await this.#months.between(app, from, to)).filter((key) => lane === undefined || key.lane === lane)
    const found = await mapConcurrent(keys, READ_CONCURRENCY, (key) =>
      this.#manifests.read(key, (minTime, maxTime) => maxTime >= from && minTime < to),
    )
    for (const { span, summary } of found.flat()) this.#ids.remember(summary, span)
    return found
      .flat()
      .map(({ summary }) => summary)
      .sort(inOrder)
  }

  async columns(chunk: ChunkKey, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const span = this.#ids.get(chunk) ?? (await this.#find(chunk))
    return this.#cells.read(span, chunk.part, names)
  }

  async #append(lease: Lease, spans: readonly Span[]): Promise<void> {
    const key = manifestOf(lease.lane, spans[0]!.chunks[0]!.summary)
    const state = await this.#manifests.state(key)
    coveredAfter(state, spans)
    if (state.revision === null) await this.#months.add(key)
    await this.#write(lease, key, spans, async (state) => ({ add: spans, covered: coveredAfter(state, spans) }))
  }

  /**
   * Writes the cells of spans, then applies the manifest change that `change` returns. Retries when a concurrent change
   * came first.
   */
  async #write(
    lease: Lease,
    key: ManifestKey,
    spans: readonly Span[],
    change: (state: ManifestState) => Promise<ManifestChange>,
    isDone: (chunks: readonly ListedChunk[]) => boolean = (chunks) => isMade(spans, chunks),
  ): Promise<void> {
    const ids = spans.map(({ span }) => span)
    await this.#ledger.during(ids, async () => {
      for (const { span, chunks } of spans) {
        await this.#ledger.enter({ span, ...key, parts: chunks.length })
        await this.#cells.write(span, chunks, () => assertLeaseHolds(lease))
      }
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const state = await this.#manifests.state(key)
        const wanted = await change(state)
        // Checked after the revision was read: an owner that has taken the lane since then may change the revision, and
        // then this change is refused.
        await this.#lanes.assertOwned(lease)
        if (await this.#applyChange(key, state, wanted, isDone)) return
      }
      throw new HopperError(
        'HOP_STORE_UNAVAILABLE',
        `The spans of ${key.app} in ${key.month} change too fast to be written.`,
      )
    })
  }

  /**
   * Applies a manifest change. When the response is lost, or is wrong because the change contended with itself, the
   * change counts as applied if the manifest has the content that it would write.
   */
  async #applyChange(
    key: ManifestKey,
    state: ManifestState,
    change: ManifestChange,
    isDone: (chunks: readonly ListedChunk[]) => boolean,
  ): Promise<boolean> {
    const isApplied = async (): Promise<boolean> => {
      if ((await this.#manifests.state(key)).revision === state.revision) return false
      return isDone(await this.#manifests.read(key))
    }
    try {
      return (await this.#manifests.change(key, state, change)) || (await isApplied())
    } catch (error) {
      if (await isApplied().catch(() => false)) return true
      throw new HopperError('HOP_STORE_UNAVAILABLE', `It is not known whether lane ${key.lane} was archived.`, {
        cause: error,
      })
    }
  }

  async #find(chunk: ChunkKey): Promise<types.TimeUuid> {
    for (const { span, summary } of await this.#manifests.read(manifestOf(chunk.lane, chunk)))
      this.#ids.remember(summary, span)
    const span = this.#ids.get(chunk)
    if (!span) throw chunkDeleted()
    return span
  }

  /** Sweeps the ledger. A failed check is left to a later sweep. */
  async #sweep(lane: number): Promise<void> {
    await this.#ledger.sweep(lane).catch(() => undefined)
  }
}

function isMade(spans: readonly Span[], chunks: readonly ListedChunk[]): boolean {
  const [id] = spans.map(({ span }) => String(span))
  return id === undefined || chunks.some(({ span }) => String(span) === id)
}

function manifestName({ app, month, lane }: ManifestKey): string {
  return JSON.stringify([app, month, lane])
}

function dayOf(date: string): string {
  return String(Number(date.slice(8)))
}

function coveredIn({ covered }: ManifestState, date: string): number {
  return Number(covered[dayOf(date)] ?? -1n)
}

/**
 * The covered positions once these spans are visible.
 * @throws HopperError HOP_INTERNAL when a span begins at or before a covered position
 */
function coveredAfter({ covered: before }: ManifestState, spans: readonly Span[]): Record<string, bigint> {
  const after: Record<string, bigint> = {}
  for (const { chunks } of spans) {
    for (const { date, first_position, last_position } of datesOfSpan(chunks)) {
      const covered = after[dayOf(date)] ?? before[dayOf(date)] ?? -1n
      if (first_position <= covered) {
        const { app } = chunks[0]!.summary
        throw new HopperError(
          'HOP_INTERNAL',
          `${app} ${date} is archived up to ${covered}, the span begins at ${first_position}.`,
        )
      }
      after[dayOf(date)] = BigInt(last_position)
    }
  }
  return after
}

/**
 * Selects the chunks of these spans.
 * @throws HopperError HOP_INTERNAL when a span is missing
 */
function only(old: readonly SpanKey[], chunks: readonly ListedChunk[]): ListedChunk[] {
  const wanted = new Set(old.map(spanName))
  const found = chunks.filter(({ summary }) => wanted.has(spanName(summary)))
  const names = new Set(found.map(({ summary }) => spanName(summary)))
  for (const name of wanted)
    if (!names.has(name)) throw new HopperError('HOP_INTERNAL', `The span ${name} is gone: it was merged already.`)
  return found
}

function inOrder(a: ChunkSummary, b: ChunkSummary): number {
  if (a.lane !== b.lane) return a.lane - b.lane
  if (a.date !== b.date) return a.date < b.date ? -1 : 1
  return a.first_position - b.first_position || a.last_position - b.last_position || a.part - b.part
}
