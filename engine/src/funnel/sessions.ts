import { limits } from '@hopper/contracts'
import type { UnitRows } from './scan/unit-rows.ts'

/** The name of a session by its number. */
export type SessionNames = (session: number) => string

/**
 * Numbers the sessions of one device's sorted rows into `unit`: rows with a `session_id` have the number of theirs
 * already (into `explicit`), the others (-1) are one session until a pause of 30 minutes.
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
