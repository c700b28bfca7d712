import { Aggregator } from '@hopper/aggregator'
import type { App } from '@hopper/contracts'
import {
  withOverrides,
  type Archive,
  type EventLog,
  type LaneBatch,
  type Lease,
  type Storage,
  type TableWriter,
} from '@hopper/storage'
import { putApp } from '../harness/bench-app.ts'
import { envelopes } from '../harness/bodies.ts'

const COUNT_MS_MAX = 600_000

/** The destination of an aggregation; without an archive there are only the tables. */
export type Target = Pick<Storage, 'writer' | 'archive'>

/** Creates an app whose events wait in the log to be counted. */
export async function fillLog(
  { log, registry }: Pick<Storage, 'log' | 'registry'>,
  id: string,
  count: number,
  events: number,
): Promise<App> {
  const app = await putApp(registry, id)
  const all = envelopes(id, count, events)
  for (let start = 0; start < all.length; start += 500) await log.append(all.slice(start, start + 500))
  return app
}

/**
 * Counts and archives the backlog of the log; returns events per second, from the first batch delivered to the last
 * event counted.
 */
export async function aggregate(
  storage: Storage,
  owner: string,
  events: number,
  { writer, archive }: Target,
): Promise<number> {
  let counted = 0
  let startedAt: number | undefined
  const done = Promise.withResolvers<number>()
  const end = setTimeout(
    () => done.reject(new Error(`only ${counted} of ${events} events counted in ${COUNT_MS_MAX} ms`)),
    COUNT_MS_MAX,
  )
  const watched = reportingWriter(writer, (some) => {
    counted += some
    if (counted >= events) done.resolve((events / (performance.now() - startedAt!)) * 1_000)
  })
  const { log, lanes, registry } = storage
  const aggregator = new Aggregator({
    log: beginning(log, () => (startedAt ??= performance.now())),
    lanes,
    registry,
    writer: watched,
    owner,
    ...(archive ? { archive } : {}),
  })
  try {
    await aggregator.start()
    return await done.promise
  } finally {
    clearTimeout(end)
    await aggregator.close()
  }
}

/** Wraps a writer so that it reports the number of events that each batch has counted. */
export function reportingWriter(writer: TableWriter, report: (events: number) => void): TableWriter {
  return withOverrides(writer, {
    apply: async (lease, batch) => {
      await writer.apply(lease, batch)
      report(countedIn(batch))
    },
  })
}

/** Sums the events of a batch by their fates: each event has exactly one. */
function countedIn({ counters }: Pick<LaneBatch, 'counters'>): number {
  return counters.reduce(
    (sum, { table, rows }) =>
      table === 'fates_by_date' ? rows.reduce((part, { deltas }) => part + deltas[0]!, sum) : sum,
    0,
  )
}

/** Wraps a log so that it reports when it delivers a batch. */
function beginning(log: EventLog, batchBegins: () => void): EventLog {
  return withOverrides(log, {
    subscribe: (consumer) =>
      log.subscribe(withOverrides(consumer, { batch: (...handed) => (batchBegins(), consumer.batch(...handed)) })),
  })
}

/** Tables that discard everything: only reading and folding the log remain. */
export const noTables: TableWriter = {
  applied: async (_lane, partitions) => partitions.map(() => -1),
  firstPositions: async () => new Map(),
  async *seenIds() {},
  identities: async () => new Map(),
  async *identifiedDevices() {},
  apply: async (_lease: Lease) => undefined,
  removeVisitors: async () => undefined,
  removeIdentities: async () => undefined,
  replaceSeen: async () => undefined,
  replaceSessions: async () => undefined,
  removeDeadLetters: async () => undefined,
  datesOf: async () => [],
  expire: async () => false,
  expireSessions: async () => [],
  async *devicesWithIdentities() {},
}

/** An archive that discards its chunks: only encoding them remains. */
export const noArchive: Archive = {
  covered: async (_lane, partitions) => partitions.map(() => -1),
  append: async () => undefined,
  replace: async () => undefined,
  purge: async () => undefined,
  list: async () => [],
  columns: async () => new Map(),
}
