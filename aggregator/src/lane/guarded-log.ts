import { withOverrides, type PartHealth, type EventLog, type LaneConsumer, type LaneLoss, type Lanes } from '@hopper/storage'
import { Gauge, type Registry as MetricsRegistry } from 'prom-client'
import { LostLanes, type LostLogger } from './lost-lanes.ts'

/** A log for an aggregator, and what is known of its losses. */
export interface GuardedLog {
  readonly log: EventLog
  /** the lanes that stand still because the log has lost what comes next in them */
  lost(): readonly LaneLoss[]
  health(): PartHealth
}

/** Whom a guarded log tells of losses. */
export interface GuardOptions {
  readonly lanes: Lanes
  readonly logger?: LostLogger
  readonly metrics?: MetricsRegistry
}

/**
 * A log that gives out no lane whose next messages are gone. The lane stands still then, and is nobody's, until its
 * committed position is passed on; the others go on.
 */
export function guardedLog(log: EventLog, { lanes, logger, metrics }: GuardOptions): GuardedLog {
  const lost = new LostLanes(log, logger)
  if (metrics) lostGauge(metrics, lost)
  const guarded = withOverrides(log, {
    subscribe: (consumer) => log.subscribe(guardedConsumer(consumer, lost, lanes)),
    read: async (lane, from, ...limits) => {
      const messages = await log.read(lane, from, ...limits)
      // Gaps are no loss: only what lies before the start of the lane is.
      if (messages[0]?.position !== from) await lost.assertReached(lane, from)
      return messages
    },
  })
  return { log: guarded, lost: () => lost.now(), health: () => lost.health() }
}

function guardedConsumer(consumer: LaneConsumer, lost: LostLanes, lanes: Lanes): LaneConsumer {
  return withOverrides(consumer, {
    assigned: async (lane) => {
      // Without taking the lane: whoever accepts the loss must be able to.
      if (lost.has(lane)) await lost.assertReached(lane, (await lanes.positions())[lane] ?? 0)
      const position = await consumer.assigned(lane)
      try {
        await lost.assertReached(lane, position)
      } catch (error) {
        await consumer.revoked(lane)
        throw error
      }
      return position
    },
  })
}

function lostGauge(registry: MetricsRegistry, lost: LostLanes): void {
  new Gauge({
    name: 'hopper_aggregator_lost_messages',
    labelNames: ['lane'],
    registers: [registry],
    help: 'Messages of each lane that stands still because the log has lost what comes next',
    collect() {
      this.reset()
      for (const { lane, first, next } of lost.now()) this.set({ lane }, next - first)
    },
  })
}
