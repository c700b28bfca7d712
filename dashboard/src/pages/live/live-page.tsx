import { useCallback, useMemo, useState, type ReactNode } from 'react'
import { Pause, Play } from 'lucide-react'
import type { Filter } from '@hopper/contracts'
import { placeOf, type LiveEvent } from './live-list.ts'
import { useLiveFeed, type LiveFeed } from './use-live-feed.ts'
import { formatCount } from '../../format/numbers.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { Icon } from '../../parts/icon.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { dateIn } from '../../state/date-range.ts'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import type { Search } from '../../state/search.ts'
import { useSearchState } from '../../state/use-search.ts'
import { factsOf, hasText } from './event-facts.ts'
import { LiveFilters } from './live-filters.tsx'
import { LiveRow } from './live-row.tsx'
import { LiveStatus } from './live-status.tsx'
import { liveWords } from './live-words.ts'
import { NowLine } from './now-line.tsx'
import { Receipt } from './receipt.tsx'

/** The newest events of the app, and those that come in. A press on one opens it. */
export default function LivePage(): ReactNode {
  const { app } = useScope()
  const { search, change } = useSearchState()
  const [typed, setTyped] = useState(search.q ?? '')
  const { kind, sender } = search
  const filters = useMemo(() => filtersOf({ kind, sender }), [kind, sender])
  const matches = useCallback((event: LiveEvent) => isOf(event, { kind, sender }), [kind, sender])
  const feed = useLiveFeed(app.id, filters, matches)
  const newest = feed.events.data?.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0)
  return (
    <PageFrame>
      <div className="page-head">
        <div>
          <PageTitle app={app.name}>{liveWords.title}</PageTitle>
          <p className="hint">{liveWords.hint}</p>
        </div>
        <div className="end">
          <LiveStatus isPaused={feed.isPaused} isConnected={feed.isOpen} {...(newest ? { newest } : {})} />
          <PauseButton feed={feed} />
        </div>
      </div>
      {feed.trouble && (
        <p className="problem" role="alert">
          {liveWords[feed.trouble]}
        </p>
      )}
      <NowLine
        search={(page) => {
          setTyped(page)
          change({ q: page }, { replace: true })
        }}
      />
      <div className={search.event === undefined ? 'live' : 'live with-receipt'}>
        <section className="card" aria-label={liveWords.title}>
          <LiveFilters typed={typed} setTyped={setTyped} />
          <ReportView report={feed.events} skeleton={<Skeleton height={480} />}>
            {(events) => <EventList events={events} feed={feed} typed={typed} isFiltered={filters.length > 0} />}
          </ReportView>
        </section>
        {search.event !== undefined && (
          <Receipt
            key={search.event}
            id={search.event}
            known={feed.events.data?.find(({ event_id }) => event_id === search.event)}
            close={() => {
              const opener = document.querySelector<HTMLElement>('.live-event[aria-expanded="true"]')
              change({ event: undefined, on: undefined })
              opener?.focus()
            }}
          />
        )}
      </div>
    </PageFrame>
  )
}

function PauseButton({ feed: { isPaused, waiting, pause } }: { feed: LiveFeed }): ReactNode {
  return (
    <>
      <button type="button" className="small" onClick={() => pause(!isPaused)}>
        <Icon of={isPaused ? Play : Pause} />
        {isPaused ? liveWords.resume : liveWords.pause}
      </button>
      {isPaused && waiting > 0 && <span className="badge open">{liveWords.waiting(formatCount(waiting))}</span>}
    </>
  )
}

interface ListProps {
  events: readonly LiveEvent[]
  feed: LiveFeed
  typed: string
  isFiltered: boolean
}

function EventList({ events, feed: { older, isLoadingOlder }, typed, isFiltered }: ListProps): ReactNode {
  const { app } = useScope()
  const { search, change } = useSearchState()
  const names = useEventNames()
  const found = useMemo(
    () =>
      events
        .map((event) => ({ event, facts: factsOf(event, names) }))
        .filter(({ event, facts }) => hasText(event, facts, typed)),
    [events, names, typed],
  )
  const choose = ({ event_id, timestamp }: LiveEvent): void =>
    change(
      event_id === search.event
        ? { event: undefined, on: undefined }
        : { event: event_id, on: dateIn(app.timezone, timestamp) },
    )
  return (
    <>
      {found.length === 0 ? (
        <Nothing isEmpty={events.length === 0} isFiltered={isFiltered} />
      ) : (
        <div>
          <p className="live-head" aria-hidden="true">
            {(['when', 'what', 'page', 'who', 'source', 'verdict'] as const).map((column) => (
              <span key={column} className={`live-${column}`}>
                {liveWords.columns[column]}
              </span>
            ))}
          </p>
          <ol className="live-events">
            {found.map(({ event, facts }) => (
              <li key={placeOf(event)}>
                <LiveRow
                  event={event}
                  facts={facts}
                  isChosen={event.event_id === search.event}
                  choose={() => choose(event)}
                />
              </li>
            ))}
          </ol>
        </div>
      )}
      {older ? (
        <button type="button" className="live-older" disabled={isLoadingOlder} onClick={older}>
          {liveWords.older}
        </button>
      ) : (
        events.length > 0 && (
          <p className="hint live-older">
            <AppLink app={app.id} to="explore" search={{ as: 'events' }}>
              {liveWords.inExplore}
            </AppLink>
          </p>
        )
      )}
    </>
  )
}

function Nothing({ isEmpty, isFiltered }: { isEmpty: boolean; isFiltered: boolean }): ReactNode {
  if (!isEmpty) return <p className="nothing">{liveWords.noneFound}</p>
  if (isFiltered) return <p className="nothing">{liveWords.noneOfKind}</p>
  return (
    <div className="nothing">
      <p>{liveWords.none}</p>
      <p>{liveWords.noneHint}</p>
    </div>
  )
}

type Choice = { readonly [Name in 'kind' | 'sender']: Search[Name] }

/** Returns the filters of the stored events. */
function filtersOf({ kind, sender }: Choice): Filter[] {
  const isRobot: Filter = { type: 'all', key: 'bot' }
  return [
    ...(kind === undefined ? [] : [{ type: 'eq', key: 'type', value: kind } as const]),
    ...(sender === 'robots' ? [isRobot] : []),
    ...(sender === 'people' ? [{ type: 'not', filter: isRobot } as const] : []),
  ]
}

/** Returns whether an event that came in has the kind and sender that are chosen. */
function isOf(event: LiveEvent, { kind, sender }: Choice): boolean {
  if (kind !== undefined && event.type !== kind) return false
  return sender === undefined || (event.fate === 'bot') === (sender === 'robots')
}
