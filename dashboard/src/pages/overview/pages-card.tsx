import type { ReactNode } from 'react'
import type { PageViews } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount, formatSeconds } from '../../format/numbers.ts'
import { pageNames } from '../../format/pages.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

type Row = PageViews['rows'][number]

/** Views and time per page. The bar behind a URL is relative to the most viewed page. */
export function PagesCard(): ReactNode {
  const { app, range, live, chips } = useScope()
  const path = reportPath(app.id, 'pages/views', range)
  const report = useReport<PageViews>(path, live)
  const most = Math.max(1, report.data?.rows[0]?.views ?? 1)
  const nameOf = pageNames((report.data?.rows ?? []).map(({ url }) => url))
  const columns: Column<Row>[] = [
    {
      name: 'Page',
      value: ({ url }) => nameOf(url),
      title: ({ url }) => url,
      cut: 'middle',
      bar: ({ views }) => views / most,
    },
    { name: 'Views', value: ({ views }) => formatCount(views), numeric: true },
    { name: 'Avg. time', value: ({ average_seconds }) => formatSeconds(average_seconds), numeric: true },
  ]
  return (
    <Card
      title="Pages"
      {...(chips.length > 0 ? { hint: words.overview.unfiltered } : {})}
      stale={report.stale}
      csv={{ path, name: 'pages' }}
    >
      <ReportView report={report}>
        {({ rows }) => (
          <DataTable
            caption="Views and average time per page"
            columns={columns}
            rows={rows}
            rowKey={({ url }) => url}
            first={8}
          />
        )}
      </ReportView>
    </Card>
  )
}
