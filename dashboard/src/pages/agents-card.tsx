import type { ReactNode } from 'react'
import type { Agents } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport, type Report } from '../api/use-report.ts'
import { formatCount, formatPercent } from '../format/numbers.ts'
import { Card } from '../parts/card.tsx'
import { DataTable, type Column } from '../parts/data-table.tsx'
import { ReportView } from '../parts/report-view.tsx'
import type { Scope } from '../state/scope.ts'

type Row = Agents['rows'][number]
type AgentKind = 'device' | 'browser' | 'os'

export interface AgentsReport {
  readonly by: AgentKind
  readonly path: string
  readonly report: Report<Agents>
}

/** Loads the users per device, browser or other kind of agent. */
export function useAgents({ app, range, live, countBy }: Scope, by: AgentKind): AgentsReport {
  const path = reportPath(app.id, 'agents', range, { by, count_by: countBy })
  return { by, path, report: useReport<Agents>(path, live) }
}

/**
 * The agents that people use. A person with two browsers counts once for each, so shares may add up to more than 100 %.
 */
export function AgentsCard({
  title,
  agents: { by, path, report },
}: {
  title: string
  agents: AgentsReport
}): ReactNode {
  const columns: Column<Row>[] = [
    { name: title, value: ({ value }) => value, bar: ({ share }) => share ?? 0 },
    { name: 'Users', value: ({ users }) => formatCount(users), numeric: true },
    { name: 'Share', value: ({ share }) => formatPercent(share), numeric: true },
  ]
  return (
    <Card title={title} size="third" stale={report.stale} csv={{ path, name: `users-by-${by}` }}>
      <ReportView report={report}>
        {({ rows }) => (
          <DataTable
            caption={`Users per ${by}`}
            columns={columns}
            rows={rows}
            rowKey={({ value }) => value}
            first={6}
          />
        )}
      </ReportView>
    </Card>
  )
}
