import type { ReactNode } from 'react'
import type { Traffic } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { formatCount } from '../format/numbers.ts'
import { Freshness } from '../parts/freshness.tsx'
import { NoEvents } from '../parts/install.tsx'
import { ReportView } from '../parts/report-view.tsx'
import { trafficStep } from '../state/date-range.ts'
import type { Scope } from '../state/scope.ts'
import { AgentsCard, useAgents } from './agents-card.tsx'
import { ClicksCard } from './clicks-card.tsx'
import { PagesCard } from './pages-card.tsx'
import { TrafficCard } from './traffic-card.tsx'

/** The overview: users over time, their pages and their agents. */
export default function OverviewPage({ scope }: { scope: Scope }): ReactNode {
  const { app, range, live, countBy } = scope
  const step = trafficStep(range)
  const trafficPath = reportPath(app.id, 'traffic', range, { by: step, count_by: countBy })
  const traffic = useReport<Traffic>(trafficPath, live)
  const devices = useAgents(scope, 'device')
  const browsers = useAgents(scope, 'browser')
  const systems = useAgents(scope, 'os')
  return (
    <>
      <div className="page-head">
        <h1>Overview</h1>
        <Freshness meta={traffic.data?.meta} />
      </div>
      <ReportView report={traffic}>
        {({ rows, meta }) =>
          rows.every(({ events }) => events === 0) && !traffic.stale ? (
            <NoEvents />
          ) : (
            <div className="cards">
              <Headline users={devices.report.data?.total_users} rows={rows} countBy={countBy} />
              <TrafficCard
                rows={rows}
                step={step}
                timezone={meta.timezone}
                completeTo={meta.complete_to}
                path={trafficPath}
                stale={traffic.stale}
              />
              <PagesCard scope={scope} />
              <ClicksCard scope={scope} />
              <AgentsCard title="Devices" agents={devices} />
              <AgentsCard title="Browsers" agents={browsers} />
              <AgentsCard title="Systems" agents={systems} />
            </div>
          )
        }
      </ReportView>
    </>
  )
}

function Headline({
  users,
  rows,
  countBy,
}: {
  users: number | undefined
  rows: Traffic['rows']
  countBy: string
}): ReactNode {
  const events = rows.reduce((sum, row) => sum + row.events, 0)
  const views = rows.reduce((sum, row) => sum + row.views, 0)
  return (
    <dl className="headline wide">
      <div>
        <dt>{countBy === 'device' ? 'Users (devices)' : 'Users'}</dt>
        <dd>{users === undefined ? '…' : formatCount(users)}</dd>
      </div>
      <div>
        <dt>Page views</dt>
        <dd>{formatCount(views)}</dd>
      </div>
      <div>
        <dt>Events</dt>
        <dd>{formatCount(events)}</dd>
      </div>
      <div>
        <dt>Views per user</dt>
        <dd>{users ? (views / users).toFixed(1) : '–'}</dd>
      </div>
    </dl>
  )
}
