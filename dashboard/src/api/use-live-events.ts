import { useEffect, useState } from 'react'
import type { TimelineEvent } from '../format/event-text.ts'
import { followEvents } from './follow-events.ts'
import { appPath } from './paths.ts'
import { useSession } from './session.tsx'

/** Events that are kept; older ones are dropped. */
const KEPT_MAX = 500

/** An event as the stream sends it. */
export interface LiveEvent extends TimelineEvent {
  readonly device_id: string
  readonly user_id?: string
  readonly fate: string
}

export interface LiveEvents {
  /** the newest first */
  readonly events: readonly LiveEvent[]
  /** number of events that came since `pause` */
  readonly waiting: number
  readonly isPaused: boolean
  readonly state: 'open' | 'interrupted' | 'ended'
  readonly pause: (isPaused: boolean) => void
}

interface Stream {
  /** the newest first */
  readonly events: readonly LiveEvent[]
  /** number of events so far, with those that were dropped */
  readonly received: number
}

/** Follows the events of an app as they are counted. While paused, those of before stay. */
export function useLiveEvents(app: string): LiveEvents {
  const { client } = useSession()
  const [stream, setStream] = useState<Stream>({ events: [], received: 0 })
  const [paused, setPaused] = useState<Stream | null>(null)
  const [state, setState] = useState<LiveEvents['state']>('open')
  useEffect(() => {
    const following = new AbortController()
    void followEvents(client, appPath(app, 'live'), following.signal, {
      opened: () => setState('open'),
      event: ({ event, data }) => {
        if (event !== 'event') return
        const live = JSON.parse(data) as LiveEvent
        setStream(({ events, received }) => ({
          events: [live, ...events].slice(0, KEPT_MAX),
          received: received + 1,
        }))
      },
      closed: ({ isRefused }) => {
        setState(isRefused ? 'ended' : 'interrupted')
        if (isRefused) following.abort()
      },
    })
    return () => following.abort()
  }, [app, client])
  return {
    events: (paused ?? stream).events,
    waiting: paused ? stream.received - paused.received : 0,
    isPaused: paused !== null,
    state,
    pause: (isPaused) => setPaused(isPaused ? stream : null),
  }
}
