import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { Logger } from 'pino'
import { causesOf } from '../commands/causes.ts'

const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 10_000
const awayCodes: readonly string[] = ['HOP_STORE_UNAVAILABLE', 'HOP_LOG_UNAVAILABLE']

/**
 * Opens what a process needs, again and again while an engine is away, and says each time which one and why. Nothing
 * listens meanwhile, so whoever asks for `/ready` is refused. A wrong setting ends the process; what an engine refuses
 * (a password, a certificate) may be put right there, so it is waited for.
 */
export async function patiently<T>(logger: Logger, open: () => Promise<T>): Promise<T> {
  for (let waitMs = RETRY_MS_FIRST; ; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof HopperError) || !awayCodes.includes(error.code)) throw error
      logger.error(
        { reason: error.message, because: causesOf(error), retryMs: waitMs },
        'an engine is away, so this process does not start yet; trying again',
      )
      await pause(waitMs)
    }
  }
}
