import type { Logger } from 'pino'
import { unknownVariables } from '../config/config.ts'
import { createLogger } from '../logging/logger.ts'
import type { ProblemReport } from '../logging/problem-report.ts'
import type { LogLevel } from '../config/settings.ts'
import { nextSignal, onRepeatedSignal } from './signals.ts'

const CLOSE_MS_MAX = 15_000

/** A running process. */
export interface Running {
  /** the message for the person when it is ready */
  readonly greeting?: string
  /** resolves when an essential part has failed */
  readonly failed?: Promise<Error>
  /** its report about itself */
  readonly report?: ProblemReport
  /** Accepts no more work, finishes the work in flight, and closes all resources. */
  close(): Promise<void>
}

/** Runs a process until a signal stops it or a part of it fails, then ends the process. */
export async function runUntilStopped(
  name: string,
  logLevel: LogLevel,
  start: (logger: Logger) => Promise<Running>,
): Promise<never> {
  const logger = createLogger(logLevel, name)
  for (const variable of unknownVariables()) logger.warn({ variable }, 'no such setting; see docs/settings.md')
  const stop = nextSignal()
  const running = await Promise.race([start(logger), stop])
  // Nothing has been acknowledged yet, and the next start completes an interrupted one.
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
    await running.report?.close(false)
    process.exit(1)
  }
  logger.info({ signal: end }, 'stopping')
  onRepeatedSignal(() => process.exit(1))
  // The timer also keeps the process alive: if a part never closes, Node would otherwise exit without a message.
  setTimeout(() => {
    logger.fatal(`not closed within ${CLOSE_MS_MAX} ms, so the process ends; what was acknowledged is safe in the log`)
    process.exit(1)
  }, CLOSE_MS_MAX)
  await running.close()
  logger.info('stopped')
  // Resources that a dependency leaves open must not keep the process alive.
  process.exit(0)
}
