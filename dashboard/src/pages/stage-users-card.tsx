import { useCallback, useMemo, type ReactNode } from 'react'
import type { StageUsers } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { Chart } from '../charts/chart.tsx'
import { timeChart } from '../charts/time-chart.ts'
import type { Theme } from '../charts/theme.ts'
import { usersByDate, type DateOfStages } from '../charts/users-by-date.ts'
import { formatCount } from '../format/numbers.ts'
import { formatDate } from '../format/times.ts'
import { Card } from '../parts/card.tsx'
import { DataTable, type Column } from '../parts/data-table.tsx'
import { ReportView } from '../parts/report-view.tsx'
import type { Scope } from '../state/scope.ts'

const none: StageUsers['rows'] = []

/** Users of each stage per date. */
export function StageUsersCard({
  scope: { app, range, live, countBy },
  funnel,
}: {
  scope: Scope
  funnel: string
}): ReactNode {
  const path = reportPath(app.id, 'stages/users', range, { funnel, count_by: countBy })
  const report = useReport<StageUsers>(path, live)
  const rows = report.data?.rows ?? none
  const { stages, dates } = useMemo(() => usersByDate(rows), [rows])
  const draw = useCallback(
    (theme: Theme) =>
      timeChart(
        {
          // dates have no time zone, so they are drawn at midnight UTC
          times: dates.map(({ date }) => Date.parse(`${date}T00:00:00Z`)),
          step: 'day',
          timezone: 'UTC',
          series: stages.map(({ name }, index) => ({ name, values: dates.map(({ users }) => users[index] ?? 0) })),
        },
        theme,
      ),
    [stages, dates],
  )
  const columns: Column<DateOfStages>[] = [
    { name: 'Date', value: ({ date }) => formatDate(date) },
    ...stages.map(({ name, stage }, index): Column<DateOfStages> => ({
      name: name || `Stage ${stage}`,
      value: ({ users }) => formatCount(users[index] ?? 0),
      numeric: true,
    })),
  ]
  return (
    <Card
      title="Users per stage and day"
      stale={report.stale}
      csv={{ path, name: 'stage-users' }}
      picture={
        <ReportView report={report}>
          {() => <Chart label="Users per stage and day; the table has the numbers" draw={draw} height={290} />}
        </ReportView>
      }
      table={
        <DataTable
          caption="Users per stage and day"
          columns={columns}
          rows={[...dates].reverse()}
          rowKey={({ date }) => date}
          first={14}
        />
      }
    />
  )
}
