import { setTimeout as pause } from 'node:timers/promises'
import type { EventLog } from './ports/event-log.ts'
import type { Storage } from './ports/storage.ts'

/** A log that can say whether its engine answers. */
export interface CheckedLog extends EventLog {
  health(): Promise<Awaited<ReturnType<Storage['health']>>[number]>
}

const HEALTH_MS_MAX = 3_000

/** An engine that does not say how it is within a moment is not well. */
function answerOf(health: ReturnType<CheckedLog['health']>): ReturnType<CheckedLog['health']> {
  const silent = { name: 'log', healthy: false, detail: `does not answer within ${HEALTH_MS_MAX} ms` }
  return Promise.race([health, pause(HEALTH_MS_MAX, silent, { ref: false })])
}

/** A storage of two engines: one has the log, the other everything else. Closing it closes both, the log first. */
export function withLog<L extends CheckedLog, R extends Pick<Storage, 'health' | 'close'>>(rest: R, log: L): R & { readonly log: L } {
  return {
    ...rest, log,
    health: async () => {
      const [ofLog, others] = await Promise.all([answerOf(log.health()), rest.health()])
      return [ofLog, ...others]
    },
    close: async () => {
      await log.close()
      await rest.close()
    },
  }
}
