import type { Client } from 'cassandra-driver'
import type { ManifestKey } from './manifest.ts'
import { rowsOf, statement } from '../client/statements.ts'

const DAY_MS = 86_400_000
const END_MS = Date.UTC(9999, 11, 30)

/** The index of an app's manifests. */
export class SpanMonths {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Adds a manifest to the index. Must be called before the manifest's first change; idempotent. */
  async add({ app, month, lane }: ManifestKey): Promise<void> {
    await this.#client.execute(statement('spans.addMonth'), [app, month, lane], { prepare: true, isIdempotent: true })
  }

  /** The manifests that may have events between two times in ms, for any time zone of the app. */
  async between(app: string, from: number, to: number): Promise<ManifestKey[]> {
    const rows = await rowsOf(this.#client, 'spans.months', [app, monthAt(from - DAY_MS), monthAt(to + DAY_MS)])
    return rows.map((row) => ({ app, month: row.get('month') as string, lane: row.get('lane') as number }))
  }
}

function monthAt(time: number): string {
  return new Date(Math.max(0, Math.min(time, END_MS))).toISOString().slice(0, 7)
}
