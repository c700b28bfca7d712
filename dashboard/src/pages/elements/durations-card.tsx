import { useCallback, type ReactNode } from 'react'
import type { ElementActions, ElementDurations } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { Chart } from '../../charts/chart.tsx'
import { correlationInWords } from '../../charts/correlation.ts'
import { durationsChart, bucketLabel } from '../../charts/durations-chart.ts'
import type { Theme } from '../../charts/theme.ts'
import { formatCount } from '../../format/numbers.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import type { Scope } from '../../state/scope.tsx'

type Bucket = ElementDurations['buckets'][number]
type Element = ElementActions['rows'][number]
interface Props {
  scope: Scope
  rows: readonly Element[]
  element: Element
  choose: (xpath: string) => void
}

const none: ElementDurations['buckets'] = []
const columns: Column<Bucket>[] = [
  { name: 'Duration', value: bucketLabel },
  { name: 'Left', value: ({ leave }) => formatCount(leave), numeric: true },
  { name: 'Clicked', value: ({ click }) => formatCount(click), numeric: true },
]

/** Hover durations on one element before a leave or click. */
export function DurationsCard({ scope: { app, range, live }, rows, element, choose }: Props): ReactNode {
  const path = reportPath(app.id, 'elements/durations', range, { xpath: element.xpath })
  const report = useReport<ElementDurations>(path, live)
  const buckets = report.data?.buckets ?? none
  const draw = useCallback((theme: Theme) => durationsChart(buckets, theme), [buckets])
  return (
    <Card
      title="Hover time"
      size="wide"
      stale={report.stale}
      csv={{ path, name: 'durations' }}
      picture={
        <>
          <label className="inline">
            Element
            <select value={element.xpath} onChange={(event) => choose(event.target.value)}>
              {rows.map(({ xpath, name }) => (
                <option key={xpath} value={xpath}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <ReportView report={report}>
            {({ correlation }) =>
              buckets.length === 0 ? (
                <p className="nothing">Nobody hovered over this element in this range.</p>
              ) : (
                <>
                  <p className="finding">{correlationInWords(correlation)}</p>
                  <Chart
                    label={`Hover time on ${element.name} before leaving or clicking; the table has the numbers`}
                    draw={draw}
                    height={280}
                  />
                </>
              )
            }
          </ReportView>
        </>
      }
      table={
        <DataTable
          caption={`Durations over ${element.name}`}
          columns={columns}
          rows={buckets}
          rowKey={({ from_ms }) => String(from_ms)}
          first={60}
        />
      }
    />
  )
}
