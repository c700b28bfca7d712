import { useMemo, type ReactNode } from 'react'
import type { ListedFunnel, PageViews } from '@hopper/contracts'
import { ApiError } from '../../api/client.ts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useShared } from '../../api/session.tsx'
import { useLongReport } from '../../api/use-funnel.ts'
import { useReport } from '../../api/use-report.ts'
import { formatDates } from '../../format/times.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { CopyButton } from '../../parts/buttons/copy-button.tsx'
import { CsvButton } from '../../parts/buttons/csv-button.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { ShareButton } from '../../shared/share-button.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { JourneyControls } from './journey-controls.tsx'
import { journeyGraph } from './journey-graph.ts'
import { nameOfPlaces, pageGroups, type PageGroup, type PlaceName } from './journey-places.ts'
import { type Journeys, journeysPath, noPanel } from './journey-question.ts'
import { JourneyView } from './journey-view.tsx'
import { journeyWords } from './journey-words.ts'

/** Where people go: from place to place, forward from one or backward to one. */
export default function JourneysPage(): ReactNode {
  const { app, range, filters } = useScope()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  const shared = useShared()
  // page views ignore filters, but here they are only used to shorten the names of places
  const hasPages = !shared || filters.length === 0
  const pages = useReport<PageViews>(hasPages ? reportPath(app.id, 'pages/views', range) : null)
  const seen = useMemo(() => {
    const rows = hasPages ? pages.data?.rows : []
    if (!funnels.data || !rows) return undefined
    if (!shared) return { groups: pageGroups(funnels.data.funnels, rows), pages: rows }
    return { groups: (shared.view.groups ?? []).map((pattern) => ({ pattern, name: pattern })), pages: rows }
  }, [funnels.data, pages.data, hasPages, shared])
  const failed = [funnels, pages].find(({ error }) => error)
  return (
    <PageFrame bar>
      {seen ? (
        <Content {...seen} />
      ) : (
        <>
          <div className="page-head">
            <PageTitle app={app.name}>{journeyWords.title}</PageTitle>
          </div>
          {failed ? <ReportView<unknown> report={failed}>{() => null}</ReportView> : <Skeleton height={560} />}
        </>
      )}
    </PageFrame>
  )
}

interface Seen {
  groups: readonly PageGroup[]
  pages: PageViews['rows']
}

function Content({ groups, pages }: Seen): ReactNode {
  const scope = useScope()
  const { search } = useSearchState()
  const { app, range, live } = scope
  const shared = useShared()
  const path = journeysPath(scope, search, groups)
  const report = useLongReport<Journeys>(path, live)
  const nameOf = useMemo(() => nameOfPlaces(groups, pages), [groups, pages])
  const place = search.start ?? search.end
  // a streamed error has no status
  const isNowhere = place !== undefined && report.error instanceof ApiError && report.error.code === 'HOP_PARAM_INVALID'
  return (
    <>
      <div className="page-head">
        <div>
          <PageTitle app={app.name}>{journeyWords.title}</PageTitle>
          <p className="hint">{journeyWords.hint}</p>
        </div>
        <div className="end">
          <CsvButton
            path={path}
            name="journeys"
            picture={
              report.data && report.data.nodes.length > 0 ? { of: 'journeys', title: journeyWords.title } : undefined
            }
          />
          {!shared && <CopyButton text={() => location.href}>{words.copyLink}</CopyButton>}
          <ShareButton
            of={{ page: 'journeys', groups: groups.map(({ pattern }) => pattern) }}
            name={journeyWords.title}
          />
        </div>
      </div>
      {!shared && <JourneyControls groups={groups} pages={pages} nameOf={nameOf} />}
      <QueryProgress report={report} />
      {isNowhere ? (
        <Nothing title={journeyWords.unknownPlace(nameOf({ value: place }))} />
      ) : (
        <ReportView report={report} skeleton={<Skeleton height={560} />}>
          {(answer) =>
            answer.nodes.length === 0 ? (
              <Nothing title={journeyWords.none(formatDates(range.from, range.to))} />
            ) : (
              <Answer answer={answer} groups={groups} nameOf={nameOf} />
            )
          }
        </ReportView>
      )}
    </>
  )
}

interface AnswerProps {
  answer: Journeys
  groups: readonly PageGroup[]
  nameOf: PlaceName
}

function Answer({ answer, groups, nameOf }: AnswerProps): ReactNode {
  const graph = useMemo(() => journeyGraph(answer), [answer])
  return <JourneyView graph={graph} groups={groups} nameOf={nameOf} isCut={answer.meta.truncated ?? false} />
}

function Nothing({ title }: { title: string }): ReactNode {
  const { search, change } = useSearchState()
  return (
    <section className="card empty">
      <h2>
        <bdi>{title}</bdi>
      </h2>
      <p>{journeyWords.noneHint}</p>
      {!useShared() && (search.start ?? search.end) !== undefined && (
        <button type="button" onClick={() => change({ start: undefined, end: undefined, ...noPanel })}>
          {journeyWords.showAll}
        </button>
      )}
    </section>
  )
}
