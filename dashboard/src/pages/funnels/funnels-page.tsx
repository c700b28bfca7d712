import { useMemo, type ReactNode } from 'react'
import type { FunnelAnswer, ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useFunnel } from '../../api/use-funnel.ts'
import { useReport } from '../../api/use-report.ts'
import { Sparkline } from '../../charts/line-chart.tsx'
import { formatCount, formatPercent, formatPoints } from '../../format/numbers.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { resolveCompare, trendStep } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { proportionOf } from './funnel-proportion.ts'
import { funnelQuestion } from './funnel-question.ts'
import { stageRows, worstStage } from './stage-rows.ts'
import { trendPoints } from './trend.ts'

/** The funnels of the app, each with its rate and where most people are lost. */
export default function FunnelsPage(): ReactNode {
  const { app } = useScope()
  const { me } = useSession()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  return (
    <PageFrame bar>
      <div className="page-head">
        <PageTitle app={app.name}>{words.funnels.list}</PageTitle>
        {me.member.role !== 'viewer' && (
          <div className="end">
            <AppLink app={app.id} to="new-funnel" className="button primary">
              {words.funnels.make}
            </AppLink>
          </div>
        )}
      </div>
      <ReportView report={funnels} skeleton={<Skeleton height={200} />}>
        {({ funnels: all }) =>
          all.length === 0 ? (
            <section className="card empty">
              <h2>{words.funnels.none}</h2>
              <p>{words.funnels.noneHint}</p>
            </section>
          ) : (
            <ul className="funnel-list">
              {all.map((funnel) => (
                <FunnelEntry key={funnel.id} funnel={funnel} />
              ))}
            </ul>
          )
        }
      </ReportView>
    </PageFrame>
  )
}

function FunnelEntry({ funnel }: { funnel: ListedFunnel }): ReactNode {
  const scope = useScope()
  const { app, range, live } = scope
  const { me } = useSession()
  const compared = scope.compared ?? resolveCompare('previous', range)
  const question = useMemo(
    () => funnelQuestion(scope, range, { funnel: funnel.id }, { trend: trendStep(range) }),
    [scope, range, funnel.id],
  )
  const earlierQuestion = useMemo(
    () => funnelQuestion(scope, compared, { funnel: funnel.id }),
    [scope, compared, funnel.id],
  )
  const report = useFunnel(app.id, question, live)
  const before = useFunnel(app.id, earlierQuestion, false).data
  return (
    <li className="card">
      <header>
        <h2>
          <AppLink app={app.id} to={`funnels/${encodeURIComponent(funnel.id)}`}>
            <bdi>{funnel.name}</bdi>
          </AppLink>
        </h2>
        {me.member.role !== 'viewer' && (
          <AppLink
            app={app.id}
            to="new-funnel"
            className="button small"
            search={{ funnel: funnel.id }}
            label={words.funnels.duplicateOf(funnel.name)}
          >
            {words.funnels.duplicate}
          </AppLink>
        )}
      </header>
      <p className="hint cut">{funnel.stages.map(({ name }) => name).join(' → ')}</p>
      <ReportView report={report} skeleton={<Skeleton height={64} />}>
        {(answer) => <FunnelNumbers funnel={funnel} answer={answer} before={before} />}
      </ReportView>
    </li>
  )
}

interface NumbersProps {
  funnel: ListedFunnel
  answer: FunnelAnswer
  /** the answer of the range that is compared with */
  before: FunnelAnswer | undefined
}

function FunnelNumbers({ funnel, answer, before }: NumbersProps): ReactNode {
  const { app, unit } = useScope()
  const now = proportionOf(answer)
  const was = before && proportionOf(before)
  const worst = worstStage(stageRows(answer.steps))
  const trend = trendPoints(answer.trend ?? [])
  const rate = answer.overall.rate
  return (
    <dl className="numbers">
      <div>
        <dt>{words.funnels.rate}</dt>
        <dd className="large tnum">{formatPercent(rate)}</dd>
        <dd className="hint">
          {words.funnels.reachedOf(formatCount(now.hits), formatCount(now.n), words.units[unit].of(now.n))}
        </dd>
      </div>
      <div>
        <dt>{words.bar.compare}</dt>
        <dd className="large tnum">
          {was && was.n > 0 && rate !== null ? formatPoints(rate - was.hits / was.n) : '–'}
        </dd>
      </div>
      <div>
        <dt>{words.funnels.trend}</dt>
        <dd>
          <Sparkline values={trend.points.map((point) => point.rate ?? 0)} openFrom={trend.openFrom} />
        </dd>
      </div>
      <div>
        <dt>{words.funnels.worst}</dt>
        <dd>
          {worst ? (
            <AppLink
              app={app.id}
              to={`funnels/${encodeURIComponent(funnel.id)}`}
              search={{ stage: worst.stage, show: 'lost' }}
            >
              → <bdi>{worst.name}</bdi>: {formatPercent(worst.lost / worst.before)}
            </AppLink>
          ) : (
            '–'
          )}
        </dd>
      </div>
    </dl>
  )
}
