import type { SessionChange } from '@hopper/storage'
import { counts, type Judged } from './judge.ts'

/** What a batch knows of each session: its bounds, who it is by its last event, and where in the log it stands. */
export function foldSessions(events: readonly Judged[]): SessionChange[] {
  const sessions = new Map<string, SessionChange>()
  for (const judged of events) {
    const { position, message, event, visitor } = judged
    if (!counts(judged) || event.session_id === undefined) continue
    const id = `${message.app.id}\0${event.session_id}`
    const known = sessions.get(id)
    sessions.set(id, {
      app: message.app.id, session_id: event.session_id, device: visitor.device, user: visitor.user,
      start: Math.min(known?.start ?? event.timestamp, event.timestamp), end: Math.max(known?.end ?? event.timestamp, event.timestamp),
      first_position: known?.first_position ?? position, last_position: position,
    })
  }
  return [...sessions.values()]
}
