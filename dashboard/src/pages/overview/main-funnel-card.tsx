import type { ReactNode } from 'react'
import type { ListedFunnel } from '@hopper/contracts'
import { useFunnel } from '../../api/use-funnel.ts'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { stageRows } from '../funnels/stage-rows.ts'
import { useFunnelPeriods } from './funnel-periods.ts'

/** The main funnel, small: each stage leads to the people who have not gone on to it. */
export function MainFunnelCard({ funnel }: { funnel: ListedFunnel }): ReactNode {
  const { app, live } = useScope()
  const report = useFunnel(app.id, useFunnelPeriods(funnel.id).question, live)
  const to = `funnels/${encodeURIComponent(funnel.id)}`
  return (
    <section className="card wide" aria-label={funnel.name}>
      <header>
        <h2>
          <AppLink app={app.id} to={to}>
            <bdi>{funnel.name}</bdi>
          </AppLink>
        </h2>
        <p className="hint stage-key">
          <span className="deciding" aria-hidden="true" />
          {words.overview.stillDeciding}
        </p>
      </header>
      <ReportView report={report} skeleton={<Skeleton height={funnel.stages.length * 28} />}>
        {({ steps, total }) => (
          <ol className="small-funnel">
            {stageRows(steps).map(({ stage, name, count, rate, deciding }) => (
              <li key={stage}>
                <AppLink app={app.id} to={to} search={stage === 1 ? { stage } : { stage, show: 'lost' }}>
                  <bdi className="cut">{name}</bdi>
                </AppLink>
                <span className="stage-track" aria-hidden="true">
                  {count > 0 && <span className="reached" style={{ width: `${(count / total) * 100}%` }} />}
                  {deciding > 0 && <span className="deciding" style={{ width: `${(deciding / total) * 100}%` }} />}
                </span>
                <span className="tnum">{formatCount(count)}</span>
                <small className="tnum">{formatPercent(rate)}</small>
              </li>
            ))}
          </ol>
        )}
      </ReportView>
    </section>
  )
}
