import type { ReactNode } from 'react'
import type { StageGraph } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { ENTRY, type GraphStage } from '../charts/stage-arcs.ts'
import { StageArcsPicture } from '../charts/stage-arcs-picture.tsx'
import { formatCount } from '../format/numbers.ts'
import { Card } from '../parts/card.tsx'
import { DataTable, type Column } from '../parts/data-table.tsx'
import { ReportView } from '../parts/report-view.tsx'
import type { Scope } from '../state/scope.ts'

type Row = StageGraph['rows'][number]
interface Props {
  scope: Scope
  funnel: string
  stages: readonly GraphStage[]
}

/** The paths that people take between the stages. */
export function StageGraphCard({ scope: { app, range, live, countBy }, funnel, stages }: Props): ReactNode {
  const path = reportPath(app.id, 'stages/graph', range, { funnel, count_by: countBy })
  const report = useReport<StageGraph>(path, live)
  const nameOf = (stage: number | null): string =>
    stage === null ? ENTRY : (stages.find((one) => one.stage === stage)?.name ?? `Stage ${stage}`)
  const columns: Column<Row>[] = [
    { name: 'From', value: ({ from }) => nameOf(from) },
    { name: 'To', value: ({ to }) => nameOf(to) },
    { name: 'Users', value: ({ users }) => formatCount(users), numeric: true },
  ]
  return (
    <Card
      title="Paths through the funnel"
      hint="Forward moves in blue, backward moves in orange; wider arcs mean more users."
      size="wide"
      stale={report.stale}
      csv={{ path, name: 'stage-graph' }}
      picture={
        <ReportView report={report}>{({ rows }) => <StageArcsPicture stages={stages} moves={rows} />}</ReportView>
      }
      table={
        <ReportView report={report}>
          {({ rows }) => (
            <DataTable
              caption="Users per move between stages"
              columns={columns}
              rows={[...rows].sort((a, b) => b.users - a.users)}
              rowKey={({ from, to }) => `${from} ${to}`}
            />
          )}
        </ReportView>
      }
    />
  )
}
