import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { Logger } from 'pino'
import { causesOf } from '../commands/causes.ts'

const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 10_000
const awayCodes: readonly string[] = ['HOP_STORE_UNAVAILABLE', 'HOP_LOG_UNAVAILABLE']

/**
 * Opens the dependencies of a process, and retries while an engine is unavailable, each time logging which one and why.
 * Nothing listens meanwhile, so requests for `/ready` are refused. An invalid setting ends the process. An engine that
 * refuses a password or a certificate is retried, because that may be corrected in the engine.
 */
export async function openWithRetries<T>(logger: Logger, open: () => Promise<T>): Promise<T> {
  for (let waitMs = RETRY_MS_FIRST; ; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof HopperError) || !awayCodes.includes(error.code)) throw error
      logger.error(
        { reason: error.message, because: causesOf(error), retryMs: waitMs },
        'an engine is unavailable, so this process does not start yet; trying again',
      )
      await pause(waitMs)
    }
  }
}
