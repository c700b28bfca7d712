import { HopperError, type ChunkSummary, type EncodedChunk } from '@hopper/contracts'
import { type types, type Client } from 'cassandra-driver'
import type { Partition } from '../../ports/tables.ts'
import { rowsOf, statement, type Statement } from '../client/statements.ts'

const PAGE_ROWS = 500
const READS_MAX = 5

/** Identifies a manifest: the spans of an app in one lane and calendar month. */
export interface ManifestKey {
  readonly app: string
  /** such as 2026-03 */
  readonly month: string
  readonly lane: number
}

/** The state that a manifest change is conditional on. */
export interface ManifestState {
  /** null before the first change */
  readonly revision: bigint | null
  readonly merges: bigint
  /** last covered position by day of the month */
  readonly covered: Readonly<Record<string, bigint>>
}

/** A chunk as listed in the manifest. */
export interface ListedChunk {
  /** id of the cells of its span */
  readonly span: types.TimeUuid
  readonly summary: ChunkSummary
}

/** The range between two remaining spans. */
export interface SpanGap {
  readonly after: types.TimeUuid
  readonly before: types.TimeUuid
}

/** A change of a manifest that is atomic for every reader. */
export interface ManifestChange {
  readonly covered?: Readonly<Record<string, bigint>>
  readonly add?: readonly { readonly span: types.TimeUuid; readonly chunks: readonly EncodedChunk[] }[]
  readonly drop?: readonly SpanGap[]
}

/** The manifest of a partition (app, date) of a lane. */
export function manifestOf(lane: number, { app, date }: Partition): ManifestKey {
  return { app, month: date.slice(0, 7), lane }
}

/**
 * Reads and changes manifests. A change is one single-partition batch with a condition on the revision. Of two owners,
 * or two attempts, that have read the same revision only one succeeds; a late attempt finds another revision and
 * changes nothing.
 */
export class Manifests {
  readonly #client: Client
  readonly #serial: types.consistencies

  constructor(client: Client, serial: types.consistencies) {
    this.#client = client
    this.#serial = serial
  }

  /**
   * Reads the state with serial consistency: everything sent before is applied by now, or is conditional on a revision
   * that `change` will replace.
   */
  async state(key: ManifestKey): Promise<ManifestState> {
    const [row] = await rowsOf(this.#client, 'spans.state', partitionOf(key), { consistency: this.#serial })
    return {
      revision: (row?.get('revision') as bigint | null | undefined) ?? null,
      merges: (row?.get('merges') as bigint | null | undefined) ?? 0n,
      covered: (row?.get('covered') as Record<string, bigint> | null | undefined) ?? {},
    }
  }

  /** Reads all chunks of a manifest as one consistent view: if spans were merged between two pages, reads again. */
  async read(
    key: ManifestKey,
    overlapping: (minTime: number, maxTime: number) => boolean = () => true,
  ): Promise<ListedChunk[]> {
    for (let reads = 0; reads < READS_MAX; reads++) {
      const rows = await rowsOf(this.#client, 'spans.read', partitionOf(key), { fetchSize: PAGE_ROWS })
      // A manifest without spans still returns a row with its static columns.
      if (rows.at(-1)?.get('merges') !== rows[0]?.get('merges')) continue
      return rows
        .filter(
          (row) => row.get('span') !== null && overlapping(Number(row.get('min_time')), Number(row.get('max_time'))),
        )
        .map(listedChunk)
    }
    throw new HopperError(
      'HOP_STORE_UNAVAILABLE',
      `The spans of ${key.app} in ${key.month} change too fast to be read.`,
    )
  }

  /**
   * Applies a change if the manifest still has this revision, and returns whether it did. A change is applied as a
   * whole. When the call rejects, the outcome is unknown.
   */
  async change(
    key: ManifestKey,
    { revision, merges }: ManifestState,
    { covered = {}, add = [], drop = [] }: ManifestChange,
  ): Promise<boolean> {
    const partition = partitionOf(key)
    const batch: Statement[] = [
      {
        query: statement('spans.advance'),
        params: [(revision ?? 0n) + 1n, drop.length > 0 ? merges + 1n : merges, covered, ...partition, revision],
      },
      ...add.flatMap(({ span, chunks }) =>
        chunks.map(({ summary }) => ({
          query: statement('spans.insert'),
          params: [
            ...partition,
            span,
            summary.part,
            BigInt(summary.min_time),
            BigInt(summary.max_time),
            JSON.stringify(summary),
          ],
        })),
      ),
      ...drop.map(({ after, before }) => ({
        query: statement('spans.dropBetween'),
        params: [...partition, after, before],
      })),
    ]
    return (await this.#client.batch(batch, { prepare: true, logged: false, isIdempotent: false })).wasApplied()
  }
}

function partitionOf({ app, month, lane }: ManifestKey): [string, string, number] {
  return [app, month, lane]
}

function listedChunk(row: types.Row): ListedChunk {
  return { span: row.get('span') as types.TimeUuid, summary: JSON.parse(row.get('summary') as string) as ChunkSummary }
}
