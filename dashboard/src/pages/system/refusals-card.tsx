import type { ReactNode } from 'react'
import type { Refusal, Refusals } from '@hopper/contracts'
import { useReport } from '../../api/use-report.ts'
import { formatCount } from '../../format/numbers.ts'
import { formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { systemWords } from './system-words.ts'

const { refused: texts } = systemWords

/** Requests that ingest refused as a whole, with their origin, app and key. */
export function RefusalsCard({ timezone }: { timezone: string }): ReactNode {
  const report = useReport<Refusals>('/api/v1/refusals', true)
  const columns: Column<Refusal>[] = [
    { name: texts.columns.why, value: ({ code }) => texts.why[code] },
    { name: texts.columns.origin, value: ({ origin }) => origin ?? texts.noOrigin },
    { name: texts.columns.app, value: ({ app }) => app ?? texts.noApp },
    { name: texts.columns.key, value: ({ key_hint: hint }) => (hint === null ? texts.noKey : texts.key(hint)) },
    { name: texts.columns.last, value: ({ last_at }) => formatInstant(timezone, last_at) },
    { name: texts.columns.requests, value: ({ requests }) => formatCount(requests), numeric: true },
  ]
  return (
    <Card title={texts.title} hint={texts.hint} size="wide">
      <ReportView report={report} skeleton={<Skeleton height={80} />}>
        {({ rows }) => (
          <DataTable
            caption={texts.caption}
            columns={columns}
            rows={rows}
            rowKey={({ date, code, app, origin, key_hint }) => JSON.stringify([date, code, app, origin, key_hint])}
            first={8}
            empty={texts.empty}
          />
        )}
      </ReportView>
    </Card>
  )
}
