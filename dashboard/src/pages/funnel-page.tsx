import { useMemo, type ReactNode } from 'react'
import type { ListedFunnel, StageConversion } from '@hopper/contracts'
import { appPath, reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { Freshness } from '../parts/freshness.tsx'
import { PageLink } from '../parts/page-link.tsx'
import { ReportView } from '../parts/report-view.tsx'
import type { Scope } from '../state/scope.ts'
import { useView } from '../state/use-view.ts'
import { FunnelCard } from './funnel-card.tsx'
import { PastProgress } from './settings/past-progress.tsx'
import { StageGraphCard } from './stage-graph-card.tsx'
import { StageTimeCard } from './stage-time-card.tsx'
import { StageUsersCard } from './stage-users-card.tsx'

/** One funnel: the users of each stage, the time they stay and the paths they take. */
export default function FunnelPage({ scope }: { scope: Scope }): ReactNode {
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(scope.app.id, 'funnels'), scope.live)
  const { view, go } = useView()
  return (
    <ReportView report={funnels}>
      {({ funnels: all }) => {
        const chosen = all.find(({ id }) => id === view.funnel) ?? all[0]
        if (!chosen) return <NoFunnel />
        return <Chosen scope={scope} funnels={all} funnel={chosen} choose={(funnel) => go({ funnel })} />
      }}
    </ReportView>
  )
}

interface Props {
  scope: Scope
  funnels: readonly ListedFunnel[]
  funnel: ListedFunnel
  choose: (id: string) => void
}

function Chosen({ scope, funnels, funnel, choose }: Props): ReactNode {
  const { app, range, live, countBy } = scope
  const path = reportPath(app.id, 'stages/conversion', range, { funnel: funnel.id, count_by: countBy })
  const conversion = useReport<StageConversion>(path, live)
  const rows = conversion.data?.rows
  const stages = useMemo(() => rows ?? [], [rows])
  return (
    <>
      <div className="page-head">
        <h1>Funnel</h1>
        <select aria-label="Funnel" value={funnel.id} onChange={(event) => choose(event.target.value)}>
          {funnels.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <PastProgress past={funnel.past} />
        <Freshness meta={conversion.data?.meta} />
      </div>
      <ReportView report={conversion}>
        {(data) => (
          <div className="cards">
            <FunnelCard conversion={data} path={path} stale={conversion.stale} />
            <StageGraphCard scope={scope} funnel={funnel.id} stages={stages} />
            <StageUsersCard scope={scope} funnel={funnel.id} />
            <StageTimeCard scope={scope} funnel={funnel.id} />
          </div>
        )}
      </ReportView>
    </>
  )
}

function NoFunnel(): ReactNode {
  return (
    <section className="card wide">
      <h2>No funnel yet</h2>
      <p>
        A funnel is an ordered list of stages, each entered by a page or by a click. Add the first one under{' '}
        <PageLink page="settings">Settings</PageLink>.
      </p>
    </section>
  )
}
