import { setTimeout as pause } from 'node:timers/promises'
import type { EventLog } from './ports/event-log.ts'
import type { PartHealth, Storage } from './ports/storage.ts'

/** A log that can check whether its engine answers. */
export interface CheckedLog extends EventLog {
  health(): Promise<PartHealth>
}

const HEALTH_MS_MAX = 1_500
/** Timeout while the log was unavailable at the last check: readiness probes have short timeouts. */
const UNAVAILABLE_MS_MAX = 100

/** Health of a log. An engine that does not answer in time is unhealthy. At most one check is in flight. */
class LogHealth {
  readonly #log: CheckedLog
  #checking: Promise<PartHealth> | undefined
  #last: PartHealth | undefined

  constructor(log: CheckedLog) {
    this.#log = log
  }

  async now(): Promise<PartHealth> {
    this.#checking ??= this.#log.health().finally(() => (this.#checking = undefined))
    const wasUnavailable = this.#last?.healthy === false
    const answer = await Promise.race([
      this.#checking,
      pause(wasUnavailable ? UNAVAILABLE_MS_MAX : HEALTH_MS_MAX, undefined, { ref: false }),
    ])
    const silent = wasUnavailable
      ? this.#last!
      : { name: this.#last?.name ?? 'log', healthy: false, detail: `does not answer within ${HEALTH_MS_MAX} ms` }
    return (this.#last = answer ?? silent)
  }
}

/**
 * Combines two engines into a storage: one has the log, the other everything else. Closes the log first, then the rest.
 */
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
