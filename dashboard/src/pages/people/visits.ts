import type { TimelineEvent } from '../../format/event-text.ts'

/** Without an event for so long, a visit is over, as the API counts sessions without an id. */
const PAUSE_MS = 1_800_000

/** Events that belong together: those of a session, or those without long pauses. */
export interface Visit {
  readonly start: number
  readonly end: number
  /** the newest first */
  readonly events: readonly TimelineEvent[]
  /** ms since the end of the visit before it; undefined for the earliest that is known */
  readonly pauseMs?: number
}

/** Splits a timeline, the newest event first, into visits. */
export function visitsOf(timeline: readonly TimelineEvent[]): Visit[] {
  const groups: TimelineEvent[][] = []
  for (const event of timeline) {
    const later = groups.at(-1)?.at(-1)
    if (later && belongTogether(event, later)) groups.at(-1)!.push(event)
    else groups.push([event])
  }
  return groups.map((events, index) => {
    const start = events.at(-1)!.timestamp
    const earlier = groups[index + 1]
    return {
      start,
      end: events[0]!.timestamp,
      events,
      ...(earlier ? { pauseMs: Math.max(0, start - earlier[0]!.timestamp) } : {}),
    }
  })
}

function belongTogether(a: TimelineEvent, b: TimelineEvent): boolean {
  const [session, other] = [a['session_id'], b['session_id']]
  if (session !== undefined && other !== undefined) return session === other
  return b.timestamp - a.timestamp < PAUSE_MS
}
