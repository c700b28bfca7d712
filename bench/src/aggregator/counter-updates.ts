import { foldArchived } from '@hopper/aggregator'
import { loadQueries } from '@hopper/cql'
import type { App, Envelope } from '@hopper/contracts'
import type { CounterChange } from '@hopper/storage'
import type { Client } from 'cassandra-driver'

const queries = loadQueries()

/** One update of one row of a counter table. */
export interface CounterUpdate {
  readonly query: string
  readonly params: readonly unknown[]
}

/**
 * Returns one counter update per event, spread over pages and lanes as real events are. It is the baseline of the
 * comparison.
 */
export function oneUpdatePerEvent(events: number, lanes: number): CounterUpdate[] {
  const query = queries.get('page-views-by-date.add')!
  return Array.from({ length: events }, (_, number) => ({
    query,
    params: [1, 100, 1, 'single', '2026-01-01', number % lanes, `/page-${number % 50}`],
  }))
}

/**
 * Returns the updates that an aggregator without folding would send: for each event, every row of every counter table
 * that it feeds, including its fate.
 */
export function updatesWithoutFolding(app: App, envelopes: readonly Envelope[], lanes: number): CounterUpdate[] {
  return envelopes.flatMap(({ device_id, context, received_at, events }, position) =>
    events.flatMap((event, index) => {
      const { counters } = foldArchived(app, [{ event, device_id, user: '', context, received_at, position, index }])
      const date = new Date(received_at).toISOString().slice(0, 10)
      const fate = {
        table: 'fates_by_date',
        app: app.id,
        date,
        from: -1,
        to: 0,
        rows: [{ key: ['accepted', 'new'], deltas: [1] }],
      } as const
      return [fate, ...counters].flatMap((change) => updatesOf(change, position % lanes))
    }),
  )
}

/** Returns the updates of a change, without its watermark. */
export function updatesOf({ table, app, date, rows }: CounterChange, lane: number): CounterUpdate[] {
  const query = queries.get(`${table.replaceAll('_', '-')}.add`)!
  return rows.map(({ key, deltas }) => ({ query, params: [...deltas, app, date, lane, ...key] }))
}

/** Sends the updates one by one with the given concurrency; returns the elapsed seconds. */
export async function sendAll(client: Client, updates: readonly CounterUpdate[], concurrency: number): Promise<number> {
  const started = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < updates.length) {
        const { query, params } = updates[next++]!
        await client.execute(query, [...params], { prepare: true })
      }
    }),
  )
  return (performance.now() - started) / 1_000
}
