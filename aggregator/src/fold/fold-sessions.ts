import type { SessionChange } from '@hopper/storage'
import { isCounted, type Judged } from '../judge/judge.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Collects the sessions of a batch: their bounds, the visitor at their end, and their positions in the log. */
export class SessionFold {
  readonly #sessions = new Map<string, Mutable<SessionChange>>()
  #last: Mutable<SessionChange> | undefined

  add(events: readonly Judged[]): void {
    for (const judged of events) {
      const {
        position,
        message: { app },
        event: { session_id, timestamp },
        visitor: { device, user },
      } = judged
      if (!isCounted(judged) || session_id === undefined) continue
      const session = this.#of(app.id, session_id, judged)
      if (timestamp < session.start) session.start = timestamp
      if (timestamp >= session.end) {
        session.end = timestamp
        session.device = device
        session.user = user
      }
      session.last_position = position
    }
  }

  changes(): SessionChange[] {
    return [...this.#sessions.values()]
  }

  #of(
    app: string,
    session_id: string,
    { position, event: { timestamp }, visitor: { device, user } }: Judged,
  ): Mutable<SessionChange> {
    // Events of one session are adjacent.
    if (this.#last?.session_id === session_id && this.#last.app === app) return this.#last
    const id = `${app}\0${session_id}`
    let session = this.#sessions.get(id)
    if (!session)
      this.#sessions.set(
        id,
        (session = {
          app,
          session_id,
          device,
          user,
          start: timestamp,
          end: timestamp,
          first_position: position,
          last_position: position,
        }),
      )
    return (this.#last = session)
  }
}
