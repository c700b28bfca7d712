import type { Logger } from 'pino'
import { unknownVariables } from '../config/config.ts'
import { createLogger } from './logger.ts'
import type { LogLevel } from '../config/settings.ts'
import { nextSignal, onRepeatedSignal } from './signals.ts'

const CLOSE_MS_MAX = 15_000

/** A process under way. */
export interface Running {
  /** what a person is told when it is ready */
  readonly greeting?: string
  /** resolves when a part has failed that the process cannot do without */
  readonly failed?: Promise<Error>
  /** Takes no more work, finishes what is under way, closes what is open. */
  close(): Promise<void>
}

/** Runs a process until a signal asks it to end, or a part of it fails, and ends the process. */
export async function runUntilStopped(
  name: string,
  logLevel: LogLevel,
  start: (logger: Logger) => Promise<Running>,
): Promise<never> {
  const logger = createLogger(logLevel, name)
  for (const variable of unknownVariables()) logger.warn({ variable }, 'no such setting; see docs/settings.md')
  const stop = nextSignal()
  const running = await Promise.race([start(logger), stop])
  // Nothing was acknowledged yet, and what a start has begun the next one finishes.
  if (typeof running === 'string') {
    logger.info({ signal: running }, 'stopped during the start')
    process.exit(0)
  }
  if (running.greeting) process.stdout.write(running.greeting)
  const end = await Promise.race([stop, ...(running.failed ? [running.failed] : [])])
  if (end instanceof Error) {
    logger.fatal(
      { err: end },
      'a part of Hopper has failed, so the process ends; what was acknowledged is safe in the log',
    )
    process.exit(1)
  }
  logger.info({ signal: end }, 'stopping')
  onRepeatedSignal(() => process.exit(1))
  setTimeout(() => {
    logger.fatal(`not closed within ${CLOSE_MS_MAX} ms, so the process ends; what was acknowledged is safe in the log`)
    process.exit(1)
  }, CLOSE_MS_MAX).unref()
  await running.close()
  logger.info('stopped')
  // Whatever a dependency has left open must not keep the process.
  process.exit(0)
}
