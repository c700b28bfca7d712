import { useMemo, type ReactNode } from 'react'
import type { ListedFunnel, Traffic } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useFunnel } from '../../api/use-funnel.ts'
import { useShared } from '../../api/session.tsx'
import { useNow } from '../../api/use-now.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount } from '../../format/numbers.ts'
import { formatDates } from '../../format/times.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { Redirect } from '../../frame/redirect.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { useBacklog } from '../../parts/states/backlog-badge.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { ShareButton } from '../../shared/share-button.tsx'
import { sharedWords } from '../../shared/shared-words.ts'
import { trafficStep } from '../../state/date-range.ts'
import { useEventDates } from '../../state/event-dates.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { ClicksCard } from './clicks-card.tsx'
import { Headline } from './headline.tsx'
import { MainFunnelCard } from './main-funnel-card.tsx'
import { PagesCard } from './pages-card.tsx'
import { SentenceCard } from './sentence-card.tsx'
import { SplitCard } from './split-card.tsx'
import { peopleQuestion } from './people-question.ts'
import { TrafficCard } from './traffic-card.tsx'

/** The properties of each card, as tabs. */
const sources = ['utm_source', 'utm_campaign', 'referrer'] as const
const devices = ['device', 'browser', 'os'] as const
const places = ['country'] as const

/** Where people get lost, in one sentence, and who they are. */
export default function OverviewPage(): ReactNode {
  const scope = useScope()
  const { app, range, live } = scope
  const people = useFunnel(
    app.id,
    useMemo(() => peopleQuestion(scope, range), [scope, range]),
    live,
  )
  return (
    <PageFrame bar>
      <div className="page-head">
        <PageTitle app={app.name}>{words.navigation.overview}</PageTitle>
        <div className="end">
          <LiveCount />
          <Share />
        </div>
      </div>
      <QueryProgress report={people} />
      <ReportView report={people} skeleton={<OverviewSkeleton />}>
        {({ total }) => (total === 0 && scope.chips.length === 0 && !people.stale ? <Empty /> : <Cards />)}
      </ReportView>
    </PageFrame>
  )
}

/** How many people are on the site now, with a link to their events. */
function LiveCount(): ReactNode {
  const { app } = useScope()
  const isShared = useShared() !== undefined
  const now = useNow(isShared ? undefined : app.id)
  if (!now) return null
  return (
    <AppLink app={app.id} to="live" className="now-link">
      <span className="pulse" aria-hidden="true" />
      {words.overview.live(formatCount(now.inFive), words.units.person.of(now.inFive))}
    </AppLink>
  )
}

/** Shares the overview with the funnel that it shows. */
function Share(): ReactNode {
  const { app } = useScope()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  const funnel = funnels.data?.funnels[0]
  if (!funnels.data) return null
  return <ShareButton of={{ page: 'overview', ...(funnel ? { funnel: funnel.id } : {}) }} name={app.name} />
}

function Empty(): ReactNode {
  const { range } = useScope()
  if (!useShared()) return <NoEventsInRange />
  return <p className="nothing">{sharedWords.nothing(formatDates(range.from, range.to))}</p>
}

function Cards(): ReactNode {
  const { app, range, live, countBy, filters } = useScope()
  // reports that ignore filters would show more than the shared view
  const hasCounted = useShared() === undefined || filters.length === 0
  const step = trafficStep(range)
  const path = reportPath(app.id, 'traffic', range, { by: step, count_by: countBy })
  const traffic = useReport<Traffic>(hasCounted ? path : null, live)
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  const funnel = funnels.data?.funnels[0]
  return (
    <div className="cards">
      {funnel && <SentenceCard funnel={funnel} />}
      <Headline {...(funnel ? { funnel } : {})} {...(traffic.data ? { traffic: traffic.data } : {})} />
      {funnel && <MainFunnelCard funnel={funnel} />}
      {hasCounted && (
        <ReportView report={traffic} skeleton={<Skeleton height={360} />}>
          {({ rows, meta }) => (
            <TrafficCard
              rows={rows}
              step={step}
              timezone={meta.timezone}
              completeTo={meta.complete_to}
              path={path}
              stale={traffic.stale}
            />
          )}
        </ReportView>
      )}
      <SplitCard title={words.overview.sources} keys={sources} />
      <SplitCard title={words.overview.devices} keys={devices} />
      <SplitCard title={words.overview.places} keys={places} />
      {hasCounted && (
        <>
          <PagesCard />
          <ClicksCard />
        </>
      )}
    </div>
  )
}

function OverviewSkeleton(): ReactNode {
  return (
    <div className="cards" aria-hidden="true">
      <div className="wide">
        <Skeleton height={88} />
      </div>
      <div className="wide">
        <Skeleton height={112} />
      </div>
      <div className="wide">
        <Skeleton height={360} />
      </div>
    </div>
  )
}

/** A range without events: says when there are any, or leads to Connect if there never were. */
function NoEventsInRange(): ReactNode {
  const { app, range } = useScope()
  const { change } = useSearchState()
  const counting = useBacklog()
  const dates = useEventDates()
  if (dates === undefined) return <Skeleton height={160} />
  if (dates === null && counting === undefined) return <Redirect to="/a/$app/connect" params={{ app: app.id }} />
  const w = words.overview
  return (
    <section className="card wide empty">
      <h2>{w.noneYet(formatDates(range.from, range.to))}</h2>
      {counting !== undefined && <p role="status">{w.counting}</p>}
      {dates && (
        <>
          <p>{w.eventsFrom(formatDates(dates.from, dates.from), formatDates(dates.to, dates.to))}</p>
          <button type="button" className="primary" onClick={() => change({ range: `${dates.from}..${dates.to}` })}>
            {w.showThem(formatDates(dates.from, dates.to))}
          </button>
        </>
      )}
    </section>
  )
}
