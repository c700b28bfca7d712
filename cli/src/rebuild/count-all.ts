import { setTimeout as pause } from 'node:timers/promises'
import { Aggregator, guardedLog, type AggregatorLogger } from '@hopper/aggregator'
import { backfillProgress, HopperError } from '@hopper/contracts'
import { describeLoss, type Registry, type Storage } from '@hopper/storage'
import { boundGarbage } from './bounded-garbage.ts'

const POLL_MS = 250

/** Reports counting progress, in messages of all lanes. */
export type Progress = (done: number, all: number) => void

/**
 * Counts and archives the current content of the log with the real aggregator, from each lane's committed position, and
 * the past of funnels that is not counted yet, and gives every session its verdict about bots.
 */
export async function countAll(storage: Storage, logger: AggregatorLogger, progress: Progress): Promise<void> {
  const { log, reader, writer, lanes, registry, archive } = storage
  boundGarbage()
  const ends = await log.ends()
  const guarded = guardedLog(log, { lanes, logger })
  const aggregator = new Aggregator({
    log: guarded.log,
    reader,
    writer,
    lanes,
    registry,
    ...(archive ? { archive } : {}),
    owner: `rebuild-${process.pid}`,
    logger,
    bots: { checkMs: 0 },
  })
  await aggregator.start()
  try {
    for (;;) {
      const [lost] = guarded.lost()
      if (lost)
        throw new HopperError('HOP_DATA_DAMAGED', `The log cannot be counted to its end: ${describeLoss(lost)}.`)
      const positions = await lanes.positions()
      const done = ends.reduce((sum, end, lane) => sum + Math.min(end, positions[lane] ?? 0), 0)
      const all = ends.reduce((sum, end) => sum + end, 0)
      progress(done, all)
      if (done === all && (!archive || ((await isPastCounted(registry)) && (await aggregator.reviewBots())))) return
      await pause(POLL_MS)
    }
  } finally {
    await aggregator.close()
  }
}

/** Checks whether the tables of every funnel contain the events from before its stages were known. */
async function isPastCounted(registry: Registry): Promise<boolean> {
  for (const { id } of await registry.apps.list()) {
    const lanes = await registry.backfills.list(id)
    for (const funnel of await registry.funnels.list(id)) {
      const selected = lanes.filter((each) => each.funnel === funnel.id)
      if (backfillProgress(funnel.stages, selected).state !== 'done') return false
    }
  }
  return true
}
