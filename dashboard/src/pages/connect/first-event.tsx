import { useEffect, useState, type ReactNode } from 'react'
import { CircleCheck } from 'lucide-react'
import { followEvents } from '../../api/follow-events.ts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { eventText, type TimelineEvent } from '../../format/event-text.ts'
import { formatClock, formatDate } from '../../format/times.ts'
import { Icon } from '../../parts/icon.tsx'
import { useEventDates } from '../../state/event-dates.ts'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { NotCounted } from './not-counted.tsx'

interface LiveEvent extends TimelineEvent {
  readonly fate: string
  readonly context: { readonly browser?: string }
}

/** Waits for the first event that counts and shows it, and what arrives without being counted. */
export function FirstEvent(): ReactNode {
  const { app } = useScope()
  const first = useFirstEvent(app.id)
  const dates = useEventDates()
  const names = useEventNames()
  const { connect } = words
  const arrived = first
    ? connect.seen(eventText(first, names), first.context.browser ?? '', formatClock(app.timezone, first.timestamp))
    : dates && connect.known(formatDate(dates.to))
  return (
    <>
      <div role="status">
        {arrived ? (
          <p className="arrived">
            <Icon of={CircleCheck} size={20} />
            <bdi>{arrived}</bdi>
          </p>
        ) : dates === undefined ? (
          <p className="hint">{connect.looking}</p>
        ) : (
          <>
            <p className="waiting">{connect.waiting}</p>
            <p className="hint">{connect.waitingHint}</p>
          </>
        )}
      </div>
      <NotCounted isWaiting={!arrived && dates === null} />
    </>
  )
}

/** Listens until an event is counted; those of robots are not. */
function useFirstEvent(app: string): LiveEvent | undefined {
  const { client } = useSession()
  const [first, setFirst] = useState<LiveEvent>()
  useEffect(() => {
    const following = new AbortController()
    void followEvents(client, appPath(app, 'live'), following.signal, {
      opened: () => undefined,
      event: ({ event, data }) => {
        if (event !== 'event') return
        const live = JSON.parse(data) as LiveEvent
        if (live.fate === 'bot') return
        setFirst(live)
        following.abort()
      },
      closed: ({ refusal }) => {
        if (refusal) following.abort()
      },
    })
    return () => following.abort()
  }, [app, client])
  return first
}
