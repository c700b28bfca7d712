import {
  withOverrides,
  type PartHealth,
  type EventLog,
  type LaneConsumer,
  type LaneLoss,
  type Lanes,
} from '@hopper/storage'
import { Gauge, type Registry as MetricsRegistry } from 'prom-client'
import { LostLanes, type LostLogger } from './lost-lanes.ts'

/** The log as an aggregator uses it, with its known losses. */
export interface GuardedLog {
  readonly log: EventLog
  /** lanes that are stalled because the log has lost their next messages */
  lost(): readonly LaneLoss[]
  health(): PartHealth
}

/** Dependencies of a guarded log; losses are reported to `logger` and `metrics`. */
export interface GuardOptions {
  readonly lanes: Lanes
  readonly logger?: LostLogger
  readonly metrics?: MetricsRegistry
}

/**
 * Wraps a log so that it assigns no lane whose next messages are lost. Such a lane is stalled, and nobody owns it,
 * until its committed position is moved past the loss. The other lanes continue.
 */
export function guardedLog(log: EventLog, { lanes, logger, metrics }: GuardOptions): GuardedLog {
  const lost = new LostLanes(log, logger)
  if (metrics) registerLostGauge(metrics, lost)
  const guarded = withOverrides(log, {
    subscribe: (consumer) => log.subscribe(guardedConsumer(consumer, lost, lanes)),
    read: async (lane, from, ...limits) => {
      const messages = await log.read(lane, from, ...limits)
      // A gap between positions is not a loss: only positions before the start of the lane are lost.
      if (messages[0]?.position !== from) await lost.assertReached(lane, from)
      return messages
    },
  })
  return { log: guarded, lost: () => lost.now(), health: () => lost.health() }
}

function guardedConsumer(consumer: LaneConsumer, lost: LostLanes, lanes: Lanes): LaneConsumer {
  return withOverrides(consumer, {
    assigned: async (lane) => {
      // Checks without taking the lane, so that a process that accepts the loss can take it.
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

function registerLostGauge(registry: MetricsRegistry, lost: LostLanes): void {
  new Gauge({
    name: 'hopper_aggregator_lost_messages',
    labelNames: ['lane'],
    registers: [registry],
    help: 'Messages that each stalled lane lacks because the log has lost them',
    collect() {
      this.reset()
      for (const { lane, first, next } of lost.now()) this.set({ lane }, next - first)
    },
  })
}
