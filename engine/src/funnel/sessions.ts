import { limits } from '@hopper/contracts'
import type { UnitRows } from './scan/unit-rows.ts'

/** Returns the name of a session by its number. */
export type SessionNames = (session: number) => string

/**
 * Assigns session numbers to the `unit` of one device's sorted rows. Rows with a `session_id` already have a number, an
 * index into `explicit`. The others (-1) are split into sessions by pauses of 30 minutes.
 */
export function sessionsOf(rows: UnitRows, explicit: readonly string[]): SessionNames {
  const starts: number[] = []
  let before = -Infinity
  for (let i = 0; i < rows.length; i++) {
    if (rows.unit[i]! >= 0) continue
    const time = rows.time[i]!
    if (time - before >= limits.sessionPauseMs) starts.push(time)
    before = time
    rows.unit[i] = explicit.length + starts.length - 1
  }
  return (session) => explicit[session] ?? `@${starts[session - explicit.length]!}`
}
