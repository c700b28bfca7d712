import type { ReactNode } from 'react'
import type { Clicks, Element } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount, formatDuration } from '../../format/numbers.ts'
import { pageNames } from '../../format/pages.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

type Row = Clicks['rows'][number]

/** The most clicked targets, and the time since the previous click. */
export function ClicksCard(): ReactNode {
  const { app, range, live, chips } = useScope()
  const path = reportPath(app.id, 'clicks', range)
  const report = useReport<Clicks>(path, live)
  const elements = useReport<{ elements: Element[] }>(appPath(app.id, 'elements'))
  const elementNames = new Map(elements.data?.elements.map(({ xpath, name }) => [xpath, name]))
  const nameOf = pageNames((report.data?.rows ?? []).map(({ url }) => url))
  const most = Math.max(1, report.data?.rows[0]?.hits ?? 1)
  const columns: Column<Row>[] = [
    {
      name: 'Target',
      value: ({ target }) => elementNames.get(target) ?? target,
      title: ({ target }) => target,
      cut: 'middle',
      bar: ({ hits }) => hits / most,
    },
    { name: 'Page', value: ({ url }) => nameOf(url), title: ({ url }) => url, cut: 'middle' },
    { name: 'Clicks', value: ({ hits }) => formatCount(hits), numeric: true },
    { name: 'Avg. time', value: ({ average_ms }) => formatDuration(average_ms), numeric: true },
  ]
  return (
    <Card
      title="Most clicked"
      {...(chips.length > 0 ? { hint: words.overview.unfiltered } : {})}
      stale={report.stale}
      csv={{ path, name: 'clicks' }}
    >
      <ReportView report={report}>
        {({ rows }) => (
          <DataTable
            caption="Clicks per target"
            columns={columns}
            rows={rows}
            rowKey={({ url, target }) => `${url} ${target}`}
            first={8}
          />
        )}
      </ReportView>
    </Card>
  )
}
