import type { SessionChange } from '@hopper/storage'
import { counts, type Judged } from './judge.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** What a batch knows of each session: its bounds, who it is at its end, and where in the log it stands. */
export function foldSessions(events: readonly Judged[]): SessionChange[] {
  const sessions = new Map<string, Mutable<SessionChange>>()
  let session: Mutable<SessionChange> | undefined
  for (const judged of events) {
    const { position, message: { app }, event: { session_id, timestamp }, visitor: { device, user } } = judged
    if (!counts(judged) || session_id === undefined) continue
    // Events of one session stand side by side.
    if (session?.session_id !== session_id || session.app !== app.id) {
      const id = `${app.id}\0${session_id}`
      session = sessions.get(id)
      if (!session) sessions.set(id, (session = { app: app.id, session_id, device, user, start: timestamp, end: timestamp, first_position: position, last_position: position }))
    }
    if (timestamp < session.start) session.start = timestamp
    if (timestamp >= session.end) {
      session.end = timestamp
      session.device = device
      session.user = user
    }
    session.last_position = position
  }
  return [...sessions.values()]
}
