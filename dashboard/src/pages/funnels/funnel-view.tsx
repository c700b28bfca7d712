import { lazy, Suspense, useMemo, type ReactNode } from 'react'
import type { FunnelAnswer, ListedFunnel } from '@hopper/contracts'
import { useShared } from '../../api/session.tsx'
import { useFunnel } from '../../api/use-funnel.ts'
import { formatDates } from '../../format/times.ts'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { trendStep } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { BreakdownCard } from './breakdown-card.tsx'
import { FunnelHead, FunnelNumbers } from './funnel-head.tsx'
import { funnelQuestion } from './funnel-question.ts'
import { StageList } from './stage-list.tsx'
import { stageRows } from './stage-rows.ts'
import { StageTable } from './stage-table.tsx'
import { TrendCard } from './trend-card.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'

const StagePanel = lazy(() => import('./panel/stage-panel.tsx'))

interface Props {
  funnel: ListedFunnel
  funnels: readonly ListedFunnel[]
}

/** A funnel in the scope of the page, and the panel about the selected part of it. */
export function FunnelView({ funnel, funnels }: Props): ReactNode {
  const scope = useScope()
  const { search } = useSearchState()
  const { app, range, compared, live } = scope
  const body = useMemo(
    () =>
      funnelQuestion(
        scope,
        range,
        { funnel: funnel.id },
        { trend: trendStep(range), ...(search.by === undefined ? {} : { breakdown: search.by }) },
      ),
    [scope, range, funnel.id, search.by],
  )
  const before = useMemo(
    () => (compared ? funnelQuestion(scope, compared, { funnel: funnel.id }, { trend: trendStep(range) }) : null),
    [scope, compared, range, funnel.id],
  )
  const report = useFunnel(app.id, body, live)
  const comparison = useFunnel(app.id, before, false)
  return (
    <div className={search.stage === undefined ? undefined : 'with-panel'}>
      <div className="funnel-page">
        <FunnelHead
          funnel={funnel}
          funnels={funnels}
          body={body}
          hasChart={search.view !== 'table' && (report.data?.total ?? 0) > 0}
        />
        <QueryProgress report={report} />
        <ReportView report={report} skeleton={<FunnelSkeleton stages={funnel.stages.length} />}>
          {(answer) => (
            <Answer
              funnel={funnel}
              answer={answer}
              {...(before && comparison.data ? { compared: comparison.data } : {})}
            />
          )}
        </ReportView>
      </div>
      {search.stage !== undefined && report.data?.steps[search.stage - 1] && (
        <Suspense fallback={<aside className="panel" />}>
          <StagePanel funnel={funnel} stage={search.stage} answer={report.data} />
        </Suspense>
      )}
    </div>
  )
}

interface AnswerProps {
  funnel: ListedFunnel
  answer: FunnelAnswer
  compared?: FunnelAnswer
}

function Answer({ funnel, answer, compared }: AnswerProps): ReactNode {
  const { range, app } = useScope()
  const { search, change } = useSearchState()
  const shared = useShared()
  const rows = useMemo(() => stageRows(answer.steps), [answer])
  const before = useMemo(() => (compared ? stageRows(compared.steps) : undefined), [compared])
  const isTable = search.view === 'table'
  if (answer.total === 0)
    return (
      <section className="card wide empty">
        <h2>{words.funnels.noEvents(formatDates(range.from, range.to))}</h2>
        <p>{words.funnels.noEventsHint}</p>
      </section>
    )
  return (
    <>
      <section className="card" aria-label={words.funnels.chart}>
        <FunnelNumbers answer={answer} rows={rows} {...(compared ? { compared } : {})} />
        <div className="switch" role="group" aria-label={words.funnels.as}>
          <button type="button" aria-pressed={!isTable} onClick={() => change({ view: undefined })}>
            {words.funnels.chart}
          </button>
          <button type="button" aria-pressed={isTable} onClick={() => change({ view: 'table' })}>
            {words.funnels.table}
          </button>
        </div>
        {isTable ? (
          <StageTable rows={rows} {...(before ? { before } : {})} />
        ) : (
          <StageList rows={rows} {...(before ? { before } : {})} />
        )}
      </section>
      {(!shared || search.by !== undefined) && <BreakdownCard answer={answer} />}
      {answer.trend && (
        <TrendCard
          funnel={funnel}
          trend={answer.trend}
          timezone={app.timezone}
          {...(compared?.trend ? { compared: compared.trend } : {})}
        />
      )}
    </>
  )
}

/** The shape of a funnel before its numbers are there. */
function FunnelSkeleton({ stages }: { stages: number }): ReactNode {
  return (
    <section className="card" aria-hidden="true">
      <Skeleton height={64} width={280} />
      {Array.from({ length: stages }, (_, index) => (
        <div key={index} className="stage-skeleton">
          <Skeleton height={28} />
        </div>
      ))}
    </section>
  )
}
