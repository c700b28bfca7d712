import type { ReactNode } from 'react'
import type { StageTime } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { formatCount, formatSeconds } from '../format/numbers.ts'
import { Card } from '../parts/card.tsx'
import { DataTable, type Column } from '../parts/data-table.tsx'
import { ReportView } from '../parts/report-view.tsx'
import type { Scope } from '../state/scope.ts'

type Row = StageTime['rows'][number]

/** The time that people stay in a stage before they enter the next one. */
export function StageTimeCard({ scope: { app, range, live }, funnel }: { scope: Scope; funnel: string }): ReactNode {
  const path = reportPath(app.id, 'stages/time', range, { funnel })
  const report = useReport<StageTime>(path, live)
  const longest = Math.max(1, ...(report.data?.rows ?? []).map(({ average_seconds }) => average_seconds ?? 0))
  const columns: Column<Row>[] = [
    { name: 'Stage', value: ({ name }) => name, bar: ({ average_seconds }) => (average_seconds ?? 0) / longest },
    { name: 'Avg. time', value: ({ average_seconds }) => formatSeconds(average_seconds), numeric: true },
    { name: 'Times left', value: ({ hits }) => formatCount(hits), numeric: true },
  ]
  return (
    <Card
      title="Time in a stage"
      hint="From entering a stage to entering another one."
      stale={report.stale}
      csv={{ path, name: 'stage-time' }}
    >
      <ReportView report={report}>
        {({ rows }) => (
          <DataTable
            caption="Average time per stage"
            columns={columns}
            rows={rows}
            rowKey={({ stage }) => String(stage)}
            first={50}
          />
        )}
      </ReportView>
    </Card>
  )
}
