import { setImmediate as pause } from 'node:timers/promises'
import type { ArchivedEvent, ChunkSummary, PositionRange } from '@hopper/contracts'
import { eventsOfChunk } from '@hopper/engine'
import type { Archive } from '@hopper/storage'
import { fetchColumns, type RewrittenRows } from '../forget/forgotten-rows.ts'

const EVENTS_PER_TURN = 2_000
/** Columns that identify the traces of an expired event, plus those that reading any row needs. */
const columns: ReadonlySet<string> = new Set(
  'runs device_id event_id timestamp seq position index received_at client_time session_id'.split(' '),
)

/** Rows of the archive from before an instant (ms). */
export class ExpiredRows implements RewrittenRows {
  readonly #before: number

  constructor(before: number) {
    this.#before = before
  }

  has({ event: { timestamp } }: { readonly event: { readonly timestamp: number } }): boolean {
    return timestamp < this.#before
  }

  async shareOf(_archive: Archive, { min_time, max_time }: ChunkSummary): Promise<'none' | 'some' | 'all'> {
    return min_time >= this.#before ? 'none' : max_time < this.#before ? 'all' : 'some'
  }
}

/** Yields the events of a lane from before an instant (ms), in batches: ids, times, places and sessions. */
export async function* expiredEvents(
  archive: Archive,
  { app, lane, before }: { readonly app: string; readonly lane: number; readonly before: number },
  assertOwned: () => void,
): AsyncGenerator<readonly ArchivedEvent[]> {
  const range = { from: 0, to: before }
  for (const summary of await archive.list({ app, lane, ...range })) {
    assertOwned()
    const names = Object.keys(summary.columns).filter((name) => columns.has(name))
    const owned = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
    const chunk = await fetchColumns(archive, { ...summary, columns: owned }, names)
    let events: ArchivedEvent[] = []
    for (const event of eventsOfChunk(chunk, range)) {
      if (events.push(event) < EVENTS_PER_TURN) continue
      yield events
      events = []
      await pause()
    }
    if (events.length > 0) yield events
    await pause()
  }
}

/** Positions as ranges. If there are too many, the nearest are joined, and then include positions between them. */
export class PositionRanges {
  readonly #max: number
  #positions = new Set<number>()
  #ranges: PositionRange[]

  constructor(ranges: readonly PositionRange[], max: number) {
    this.#ranges = [...ranges]
    this.#max = max
  }

  add(position: number): void {
    this.#positions.add(position)
    if (this.#positions.size > 4 * this.#max) this.#join()
  }

  get ranges(): readonly PositionRange[] {
    this.#join()
    return this.#ranges
  }

  #join(): void {
    const all = [...this.#ranges, ...[...this.#positions].map((position): PositionRange => [position, position + 1])]
    this.#positions = new Set()
    all.sort(([a], [b]) => a - b)
    const gaps = all.slice(1).map(([from], index) => from - all[index]![1])
    // Gaps up to this one are joined.
    const joined = gaps.length < this.#max ? 0 : [...gaps].sort((a, b) => b - a)[this.#max - 1]!
    this.#ranges = []
    for (const [from, to] of all) {
      const last = this.#ranges.at(-1)
      if (last && from - last[1] <= joined) this.#ranges[this.#ranges.length - 1] = [last[0], Math.max(last[1], to)]
      else this.#ranges.push([from, to])
    }
  }
}
