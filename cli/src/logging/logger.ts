import { pino, type Logger, type LoggerOptions } from 'pino'
import type { LogLevel } from '../config/settings.ts'
import { LastProblems } from './last-problems.ts'

const problemsOf = new WeakMap<Logger, LastProblems>()
const secrets = ['key', 'authorization', 'cookie', 'token', 'password', 'x-api-key', 'set-cookie']

/** Keys, tokens and cookies never reach a log, wherever they occur in a record. */
export const redaction = {
  paths: secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
  censor: '[removed]',
}

/**
 * Creates a logger on stderr (stdout is for the person): one line of JSON per record, or plain readable lines when
 * stderr is a terminal.
 */
export function createLogger(level: LogLevel, name: string): Logger {
  const problems = new LastProblems()
  const options: LoggerOptions = {
    level,
    name,
    redact: redaction,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: {
      logMethod(args, method, number) {
        problems.add(number, args)
        method.apply(this, args)
      },
    },
  }
  const logger = process.stderr.isTTY
    ? pino(options, { write: (line) => void process.stderr.write(formatReadable(line)) })
    : pino(options, pino.destination({ fd: 2, sync: true }))
  problemsOf.set(logger, problems)
  return logger
}

/** Returns the last warnings and errors that were written with a logger, or with one derived from it. */
export function lastProblems(logger: Logger): LastProblems {
  return problemsOf.get(logger) ?? new LastProblems()
}

/** Formats a record as `07:12:01 warn  aggregator: message  field=value`, and an error's stack on separate lines. */
export function formatReadable(line: string): string {
  const {
    level,
    time,
    name,
    msg = '',
    err,
    ...fields
  } = JSON.parse(line) as Record<string, unknown> & { err?: { stack?: string } }
  const label = pino.levels.labels[Number(level)] ?? String(level)
  const rest = Object.entries(fields).map(
    ([key, value]) => `  ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  // An event value must not control the terminal.
  const text = printable(
    `${String(time).slice(11, 19)} ${label.padEnd(5)} ${String(name)}: ${String(msg)}${rest.join('')}`,
  )
  return err?.stack ? `${text}\n${err.stack.split('\n').map(printable).join('\n')}\n` : `${text}\n`
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}
