import { withVerdict, type ArchivedEvent, type ChunkSummary } from '@hopper/contracts'
import type { Archive } from '@hopper/storage'
import { fetchColumns, type RewrittenRows } from '../forget/forgotten-rows.ts'
import type { ChangedVerdicts } from './changed-verdicts.ts'

/** Rows of the archive that get another verdict. */
export class ChangedRows implements RewrittenRows {
  readonly #found: ChangedVerdicts

  constructor(found: ChangedVerdicts) {
    this.#found = found
  }

  has(): boolean {
    return false
  }

  changed(event: ArchivedEvent): ArchivedEvent {
    const bot = this.#found.of(event)
    return bot === undefined ? event : { ...event, context: withVerdict(event.context, bot ?? undefined) }
  }

  async shareOf(archive: Archive, summary: ChunkSummary): Promise<'none' | 'some'> {
    const { first, last } = this.#found.span
    if (summary.max_time < first || summary.min_time > last) return 'none'
    const names = ['position', 'index', 'runs', 'timestamp'].filter((name) => Object.hasOwn(summary.columns, name))
    const chunk = await fetchColumns(archive, summary, names)
    const [positions, indexes] = [chunk.numbers('position'), chunk.numbers('index')]
    for (let row = 0; row < summary.rows; row++)
      if (this.#found.of({ position: positions[row]!, index: indexes[row]! }) !== undefined) return 'some'
    return 'none'
  }
}
