import { setTimeout as pause } from 'node:timers/promises'
import type { EventLog } from './ports/event-log.ts'
import type { PartHealth, Storage } from './ports/storage.ts'

/** A log that can say whether its engine answers. */
export interface CheckedLog extends EventLog {
  health(): Promise<PartHealth>
}

const HEALTH_MS_MAX = 1_500
/** A log that was away is not waited for again: who asks whether the process is ready has little patience. */
const AWAY_MS_MAX = 100

/** The health of a log. An engine that does not tell it within a moment is not well. One question at a time. */
class LogHealth {
  readonly #log: CheckedLog
  #asking: Promise<PartHealth> | undefined
  #last: PartHealth | undefined

  constructor(log: CheckedLog) {
    this.#log = log
  }

  async now(): Promise<PartHealth> {
    this.#asking ??= this.#log.health().finally(() => (this.#asking = undefined))
    const wasAway = this.#last?.healthy === false
    const answer = await Promise.race([
      this.#asking,
      pause(wasAway ? AWAY_MS_MAX : HEALTH_MS_MAX, undefined, { ref: false }),
    ])
    const silent = wasAway
      ? this.#last!
      : { name: this.#last?.name ?? 'log', healthy: false, detail: `does not answer within ${HEALTH_MS_MAX} ms` }
    return (this.#last = answer ?? silent)
  }
}

/** A storage of two engines: one has the log, the other everything else. Closing it closes both, the log first. */
export function withLog<L extends CheckedLog, R extends Pick<Storage, 'health' | 'close'>>(
  rest: R,
  log: L,
): R & { readonly log: L } {
  const logHealth = new LogHealth(log)
  return {
    ...rest,
    log,
    health: async () => {
      const [ofLog, others] = await Promise.all([logHealth.now(), rest.health()])
      return [ofLog, ...others]
    },
    close: async () => {
      await log.close()
      await rest.close()
    },
  }
}
