import { useCallback, useEffect, useMemo, useState } from 'react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import type { Filter, Meta } from '@hopper/contracts'
import type { Client } from '../../api/client.ts'
import { followEvents, type StreamListener } from '../../api/follow-events.ts'
import { emptyList, isCut, joined, withArrived, type LiveEvent, type LiveList } from './live-list.ts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { reportOf, type Report } from '../../api/use-report.ts'

const PER_PAGE = 100
/** Characters of stored events after which no older ones are loaded; for more there is the page Explore. */
const STORED_CHARS = 1024 * 1024
/** Events that arrive within this time are shown together. */
const GATHER_MS = 250
/** A tab that was hidden for longer begins again, instead of catching up. */
const HIDDEN_MS_MAX = 5 * 60_000

/** The answer of `GET events?order=-timestamp`. */
interface NewestPage {
  readonly events: readonly LiveEvent[]
  readonly next?: string
  readonly follow: string
  readonly meta: Meta
  /** characters of the answer */
  readonly chars: number
}

export interface LiveFeed {
  /** the events that match, the newest first, once the stored ones are loaded */
  readonly events: Report<readonly LiveEvent[]>
  /** number of events that came since `pause` */
  readonly waiting: number
  readonly isPaused: boolean
  readonly pause: (isPaused: boolean) => void
  /** true while the stream is open */
  readonly isOpen: boolean
  /** why the stream is not open, once that is known */
  readonly trouble?: 'interrupted' | 'refused'
  /** loads older events; undefined if there are none */
  readonly older?: () => void
  readonly isLoadingOlder: boolean
}

/** One session of following the events of an app, which begins with the stored ones. */
interface Reading {
  readonly id: string
  /** id of the stream behind which it continues */
  readonly follow: string
}

/**
 * Loads the newest stored events that match filters, then follows the stream from there. While it is paused, the events
 * so far stay. The stream has all events, so a change of filters does not interrupt it.
 */
export function useLiveFeed(app: string, filters: readonly Filter[], matches: (event: LiveEvent) => boolean): LiveFeed {
  const [restarts, setRestarts] = useState(0)
  const restart = useCallback(() => setRestarts((n) => n + 1), [])
  const id = `${app}/${restarts}`
  const stored = useStored(app, id, filters)
  const [reading, setReading] = useState<Reading>()
  const follow = stored.isPlaceholderData ? undefined : stored.data?.pages[0]!.follow
  if (follow !== undefined && reading?.id !== id) setReading({ id, follow })
  const current = reading?.id === id ? reading : undefined
  const { list, isOpen, trouble } = useArrivals(app, current, restart)
  const [paused, setPaused] = useState<{ readonly id: string; readonly list: LiveList } | null>(null)
  const held = paused?.id === id ? paused.list : undefined
  const shown = held ?? list
  const pages = stored.data?.pages
  const data = useMemo(
    () =>
      pages &&
      joined(
        shown,
        pages.flatMap(({ events }) => events),
        list,
      ).filter(matches),
    [pages, shown, list, matches],
  )
  const chars = pages?.reduce((sum, page) => sum + page.chars, 0) ?? 0
  const hasOlder = stored.hasNextPage && chars < STORED_CHARS && !isCut(shown)
  return {
    events: reportOf({ ...stored, data }),
    waiting: held ? list.received - held.received : 0,
    isPaused: held !== undefined,
    pause: (isPaused) => setPaused(isPaused ? { id, list } : null),
    isOpen,
    ...(trouble && { trouble }),
    ...(hasOlder && { older: () => void stored.fetchNextPage() }),
    isLoadingOlder: stored.isFetchingNextPage,
  }
}

function useStored(app: string, id: string, filters: readonly Filter[]) {
  const { client } = useSession()
  return useInfiniteQuery({
    queryKey: ['newest events', id, filters],
    queryFn: async ({ pageParam: start, signal }): Promise<NewestPage> => {
      const text = await client.text(pathOf(app, filters, start), signal)
      return { ...(JSON.parse(text) as Omit<NewestPage, 'chars'>), chars: text.length }
    },
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    // newer events come by the stream
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
}

function pathOf(app: string, filters: readonly Filter[], start: string): string {
  return appPath(app, 'events', {
    order: '-timestamp',
    limit: String(PER_PAGE),
    start: start === '' ? undefined : start,
    filters: filters.length === 0 ? undefined : JSON.stringify(filters),
  })
}

interface Arrivals {
  readonly list: LiveList
  readonly isOpen: boolean
  readonly trouble?: NonNullable<LiveFeed['trouble']> | undefined
}

const noArrivals: Arrivals = { list: emptyList, isOpen: false }

/** Follows the stream of a `Reading` while the tab is visible. */
function useArrivals(app: string, reading: Reading | undefined, restart: () => void): Arrivals {
  const { client } = useSession()
  const [arrivals, setArrivals] = useState<Arrivals & { readonly id?: string }>(noArrivals)
  useEffect(() => {
    if (!reading) return
    const { id } = reading
    const change = (next: (before: Arrivals) => Partial<Arrivals>): void =>
      setArrivals((before) => {
        const own = before.id === id ? before : noArrivals
        return { ...own, ...next(own), id }
      })
    const gathered = new Gathered((texts) => change(({ list }) => ({ list: withArrived(list, texts) })))
    const stop = followWhileVisible(client, appPath(app, 'live', { bots: '1' }), reading.follow, {
      opened: () => change(() => ({ isOpen: true, trouble: undefined })),
      closed: ({ refusal }) => {
        if (refusal?.code === 'HOP_EVENTS_GONE') restart()
        else change(() => ({ isOpen: false, trouble: refusal ? 'refused' : 'interrupted' }))
      },
      event: (text) => gathered.add(text),
      lost: restart,
    })
    return () => {
      stop()
      gathered.stop()
    }
  }, [client, app, reading, restart])
  return arrivals.id === reading?.id ? arrivals : noArrivals
}

interface Listener {
  readonly opened: StreamListener['opened']
  readonly closed: StreamListener['closed']
  readonly event: (text: string) => void
  /** called when the stream cannot continue from where it was */
  readonly lost: () => void
}

/** Follows a stream while the tab is visible, and continues it when the tab is visible again; returns how to stop. */
function followWhileVisible(
  client: Client,
  path: string,
  follow: string,
  { opened, closed, event, lost }: Listener,
): () => void {
  let last = follow
  let following: AbortController | undefined
  let hiddenAt = Date.now()
  const begin = (): void => {
    following = new AbortController()
    const listener: StreamListener = {
      opened,
      closed,
      event: ({ event: name, data, id }) => {
        last = id ?? last
        if (name === 'event') event(data)
        else if (name === 'error') lost()
      },
    }
    void followEvents(client, path, following.signal, listener, last)
  }
  const end = (): void => {
    following?.abort()
    following = undefined
  }
  const onVisibility = (): void => {
    if (document.visibilityState !== 'visible') {
      end()
      hiddenAt = Date.now()
    } else if (following) return
    else if (Date.now() - hiddenAt > HIDDEN_MS_MAX) lost()
    else begin()
  }
  if (document.visibilityState === 'visible') begin()
  document.addEventListener('visibilitychange', onVisibility)
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    end()
  }
}

/** Passes texts on together, a little after the first of them. */
class Gathered {
  readonly #pass: (texts: readonly string[]) => void
  #texts: string[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(pass: (texts: readonly string[]) => void) {
    this.#pass = pass
  }

  add(text: string): void {
    this.#texts.push(text)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#pass(this.#texts.splice(0))
    }, GATHER_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
