import { setTimeout as pause } from 'node:timers/promises'
import { justifiedTime, type AggregatorLogger } from '@hopper/aggregator'
import {
  emptyRetentionTally,
  keptFromAt,
  retentionPartId,
  type App,
  type RetentionPart,
  type RetentionTally,
} from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { isCluster, type InstallationConfig } from '../installation/open-installation.ts'
import { CHECK_MS, ownAggregator } from '../installation/own-aggregator.ts'

/** Receives the progress. */
export interface ExpiryProgress {
  readonly logger: AggregatorLogger
  readonly progress: (text: string) => void
  /** returns the time (ms since the epoch); `Date.now` by default */
  readonly now?: () => number
}

/** Result of an expiry, over all lanes. */
export interface ExpiryReport {
  readonly removed: RetentionTally
  /** files of the data directory that were left alone although they may contain old events */
  readonly kept_files: readonly string[]
}

/**
 * Removes everything that is older than an app keeps events. In a cluster the aggregators do the work; for a data
 * directory this process does it, even if it was done before, and then rewrites the files without the removed data.
 */
export async function expireApp(
  storage: Storage,
  config: Pick<InstallationConfig, 'kafkaBrokers' | 'cassandraContactPoints'>,
  app: App,
  { logger, progress, now = Date.now }: ExpiryProgress,
): Promise<ExpiryReport> {
  const isOwn = !isCluster(config as InstallationConfig)
  if (isOwn) await beginAgain(storage, app)
  const retention = { checkMs: CHECK_MS, settleMs: 0, now }
  const aggregator = isOwn
    ? ownAggregator(storage, { owner: `retention-${process.pid}`, retention, logger })
    : undefined
  await aggregator?.start()
  let removed: RetentionTally | undefined
  try {
    for (let shown = ''; ;) {
      const { text, tally } = await stateOf(storage, app, now())
      if (tally) {
        removed = tally
        break
      }
      if (text !== shown) progress(text)
      shown = text
      await pause(CHECK_MS)
    }
  } finally {
    await aggregator?.close()
  }
  const scrubbed = isOwn ? await storage.scrub?.() : undefined
  return { removed, kept_files: scrubbed?.keptFiles ?? [] }
}

/** Makes lanes that are done check everything again: an import or a rebuild may have brought something back. */
async function beginAgain({ registry }: Storage, { id }: App): Promise<void> {
  for (const part of await registry.retentionParts.list(id)) {
    if (part.step !== 'done') continue
    await registry.retentionParts.put(id, retentionPartId(part), fromBeginning(part))
  }
}

function fromBeginning({ expired_to: _, ...rest }: RetentionPart): RetentionPart {
  return { ...rest, step: 'waiting', log_position: 0, tally: emptyRetentionTally }
}

async function stateOf(
  { registry, log }: Storage,
  { id }: App,
  now: number,
): Promise<{ readonly text: string; readonly tally?: RetentionTally }> {
  const app = await registry.app(id)
  const parts = await registry.retentionParts.list(id)
  const wanted = app && keptFromAt(app, await justifiedTime(log, now))
  const done = parts.filter(({ step, kept_from }) => step === 'done' && kept_from === wanted)
  if (app?.kept_from === wanted && done.length >= log.lanes)
    return { text: '', tally: done.map(({ tally }) => tally).reduce(addTallies, emptyRetentionTally) }
  const problems = [...new Set(parts.flatMap(({ problem }) => problem ?? []))]
  return { text: [`${done.length} of ${log.lanes} lanes`, ...problems].join('; ') }
}

function addTallies(a: RetentionTally, b: RetentionTally): RetentionTally {
  return {
    events: a.events + b.events,
    dates: Math.max(a.dates, b.dates),
    sessions: a.sessions + b.sessions,
    dead_letters: a.dead_letters + b.dead_letters,
    devices: a.devices + b.devices,
    messages: a.messages + b.messages,
  }
}
