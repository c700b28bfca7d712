import { useQuery } from '@tanstack/react-query'
import type { EventResult, Filter } from '@hopper/contracts'
import { appPath } from './paths.ts'
import { useSession } from './session.tsx'

const MINUTE_MS = 60_000
/** Polling interval: people leave without an event, so the numbers change although nothing is announced. */
const REFRESH_MS = 60_000
const PAGES_REFRESH_MS = 30_000
/** Page views of which each person's last page is read: the API answers no more rows. */
const VIEWS_MAX = 1_000

/** Who is on the site now. */
export interface Now {
  /** people with an event in the last 5 minutes, and in the last 30 */
  readonly inFive: number
  readonly inThirty: number
}

/** The same, and what they do. */
export interface NowOnPages extends Now {
  /** page views of the last 30 minutes */
  readonly views: readonly View[]
}

/** A page that somebody opened. */
export interface View {
  readonly person: string
  readonly page: string
  readonly timestamp: number
}

/** Asks how many people are on the site now, and again while the tab is visible; nothing without an app. */
export function useNow(app: string | undefined): Now | undefined {
  return useQuestion(app, false)
}

/** Asks who is on which page now, and again while the tab is visible. */
export function useNowOnPages(app: string): NowOnPages | undefined {
  return useQuestion(app, true)
}

function useQuestion(app: string | undefined, withViews: boolean): NowOnPages | undefined {
  const { client } = useSession()
  const query = useQuery({
    queryKey: ['now', app, withViews],
    queryFn: async ({ signal }) =>
      nowOf(await client.query<EventResult>(appPath(app!, 'query'), questionAt(Date.now(), withViews), signal)),
    enabled: app !== undefined,
    refetchInterval: withViews ? PAGES_REFRESH_MS : REFRESH_MS,
  })
  return query.data
}

function questionAt(now: number, withViews: boolean): object {
  const recent: Filter = { type: 'gt', key: 'timestamp', value: now - 5 * MINUTE_MS }
  const view: Filter = { type: 'eq', key: 'type', value: 'url_change' }
  return {
    start: now - 30 * MINUTE_MS,
    // a clock that is ahead does not hide anybody
    end: now + MINUTE_MS,
    data: [
      { name: 'five', filters: [recent], unique: ['person'] },
      { name: 'thirty', filters: [], unique: ['person'] },
      ...(withViews
        ? [{ name: 'views', filters: [view], keys: ['person', 'page', 'timestamp'], events: VIEWS_MAX }]
        : []),
    ],
  }
}

function nowOf({ data }: EventResult): NowOnPages {
  const set = (wanted: string) => data.find(({ name }) => name === wanted)
  return {
    inFive: set('five')?.unique['person'] ?? 0,
    inThirty: set('thirty')?.unique['person'] ?? 0,
    views: (set('views')?.events ?? []).filter(({ page }) => typeof page === 'string') as unknown as View[],
  }
}

/** Counts the people by the page that each opened last, the page with the most first. */
export function peopleByPage(views: readonly View[]): (readonly [page: string, people: number])[] {
  const last = new Map<string, View>()
  for (const view of views) {
    const known = last.get(view.person)
    if (!known || known.timestamp <= view.timestamp) last.set(view.person, view)
  }
  return [...Map.groupBy(last.values(), ({ page }) => page)]
    .map(([page, people]) => [page, people.length] as const)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}
