import { useState, type ReactNode } from 'react'
import type { LossKey, LossResult } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useLongReport } from '../../api/use-funnel.ts'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { shiftDate } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { systemWords } from './system-words.ts'

type Row = LossResult['rows'][number]

const DAYS = 7
const { loss: texts } = systemWords
const keys = Object.keys(texts.keys) as LossKey[]

/** The share of numbered events that never arrived, by day, browser or country. */
export function LossCard(): ReactNode {
  const { app, today } = useScope()
  const [by, setBy] = useState<LossKey>('day')
  const report = useLongReport<LossResult>(
    reportPath(app.id, 'loss', { from: shiftDate(today, 1 - DAYS), to: today }, { by }),
    false,
  )
  const columns: Column<Row>[] = [
    { name: texts.keys[by], value: ({ value }) => value, bar: ({ lost_share: lost }) => lost ?? 0 },
    { name: texts.columns.sessions, value: ({ sessions }) => formatCount(sessions), numeric: true },
    { name: texts.columns.expected, value: ({ expected }) => formatCount(expected), numeric: true },
    { name: texts.columns.received, value: ({ received }) => formatCount(received), numeric: true },
    {
      name: texts.columns.lost,
      value: ({ lost_share: lost, error }) =>
        error === null ? formatPercent(lost) : `${formatPercent(lost)} ${texts.error(formatPercent(error))}`,
      numeric: true,
    },
  ]
  return (
    <Card title={texts.title} hint={texts.hint} size="wide" stale={report.stale}>
      <div className="switch" role="group" aria-label={texts.by}>
        {keys.map((key) => (
          <button key={key} type="button" aria-pressed={key === by} onClick={() => setBy(key)}>
            {texts.keys[key]}
          </button>
        ))}
      </div>
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={180} />}>
        {({ rows, open_sessions: open }) => (
          <>
            <DataTable
              caption={texts.caption}
              columns={columns}
              rows={rows}
              rowKey={({ value }) => value}
              first={7}
              empty={texts.empty}
            />
            {open > 0 && <p className="hint">{texts.open(open, formatCount(open))}</p>}
          </>
        )}
      </ReportView>
    </Card>
  )
}
