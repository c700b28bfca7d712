import { useCallback, type ReactNode } from 'react'
import type { StageGraph } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { Chart } from '../charts/chart.tsx'
import { ENTRY, stageGraph, type GraphStage } from '../charts/stage-graph.ts'
import type { Theme } from '../charts/theme.ts'
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

/** The ways people take between the stages. */
export function StageGraphCard({ scope: { app, range, live, countBy }, funnel, stages }: Props): ReactNode {
  const path = reportPath(app.id, 'stages/graph', range, { funnel, count_by: countBy })
  const report = useReport<StageGraph>(path, live)
  const moves = report.data?.rows
  const draw = useCallback((theme: Theme, width: number) => stageGraph(stages, moves ?? [], theme, width), [stages, moves])
  const nameOf = (stage: number | null): string => (stage === null ? ENTRY : (stages.find((one) => one.stage === stage)?.name ?? `Stage ${stage}`))
  const columns: Column<Row>[] = [
    { name: 'From', value: ({ from }) => nameOf(from) },
    { name: 'To', value: ({ to }) => nameOf(to) },
    { name: 'Users', value: ({ users }) => formatCount(users), numeric: true },
  ]
  return (
    <Card
      title="Ways through the funnel" hint="Moves ahead in blue, moves back in orange; the wider, the more users." size="wide" stale={report.stale}
      csv={{ path, name: 'stage-graph' }}
      picture={<ReportView report={report}>{() => <Chart label="Moves between the stages; the table has the numbers" draw={draw} height={300} />}</ReportView>}
      table={<ReportView report={report}>{({ rows }) => (
        <DataTable caption="Users per move between stages" columns={columns} rows={[...rows].sort((a, b) => b.users - a.users)} rowKey={({ from, to }) => `${from} ${to}`} />
      )}</ReportView>}
    />
  )
}
