import type { EventLog } from './ports/event-log.ts'
import type { Storage } from './ports/storage.ts'

/** A log that can say whether its engine answers. */
export interface CheckedLog extends EventLog {
  health(): Promise<Awaited<ReturnType<Storage['health']>>[number]>
}

/** A storage of two engines: one has the log, the other everything else. Closing it closes both, the log first. */
export function withLog<L extends CheckedLog>(rest: Omit<Storage, 'log'>, log: L): Storage & { readonly log: L } {
  return {
    ...rest, log,
    health: async () => [await log.health(), ...(await rest.health())],
    close: async () => {
      await log.close()
      await rest.close()
    },
  }
}
