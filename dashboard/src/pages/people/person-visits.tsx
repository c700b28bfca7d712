import type { ReactNode } from 'react'
import { eventText, type TimelineEvent } from '../../format/event-text.ts'
import { formatDuration } from '../../format/numbers.ts'
import { formatClock, formatInstant } from '../../format/times.ts'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { visitsOf } from './visits.ts'

interface Props {
  timeline: readonly TimelineEvent[]
  hasMore: boolean
  isLoading: boolean
  more: () => void
}

/** The visits of a person, the newest first, with the time between them in words. */
export function PersonVisits({ timeline, hasMore, isLoading, more }: Props): ReactNode {
  const { app } = useScope()
  const names = useEventNames()
  const visits = visitsOf(timeline)
  return (
    <section className="card wide" aria-label={words.people.visits}>
      <header>
        <h2>{words.people.visits}</h2>
      </header>
      <ol className="visits">
        {visits.map(({ start, end, events, pauseMs }) => (
          <li key={events[0]!.event_id}>
            <h3>
              {formatInstant(app.timezone, start)}
              <small> {words.people.visit(events.length, end > start ? formatDuration(end - start) : '')}</small>
            </h3>
            <ol className="visit">
              {events.map((event) => (
                <li key={event.event_id}>
                  <time className="hint tnum">{formatClock(app.timezone, event.timestamp)}</time>
                  <bdi>{eventText(event, names)}</bdi>
                </li>
              ))}
            </ol>
            {pauseMs !== undefined && <p className="pause hint">{words.people.pause(formatDuration(pauseMs))}</p>}
          </li>
        ))}
      </ol>
      {hasMore && (
        <button type="button" disabled={isLoading} onClick={more}>
          {words.people.moreEvents}
        </button>
      )}
    </section>
  )
}
