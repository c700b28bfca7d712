import { useMemo, type ReactNode } from 'react'
import type { Traffic } from '@hopper/contracts'
import { AnnotationList, useAnnotations } from '../../annotations/annotation-list.tsx'
import { chartNotes } from '../../annotations/chart-notes.ts'
import { LineChart, type Line } from '../../charts/line-chart.tsx'
import { LineLegend } from '../../charts/line-legend.tsx'
import { formatCount } from '../../format/numbers.ts'
import { formatStep, formatTick } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { dateIn } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

type Row = Traffic['rows'][number]
interface Props {
  rows: Traffic['rows']
  step: 'hour' | 'day'
  timezone: string
  /** hours or dates that start later are not counted yet, so they are unknown rather than 0; null if not known */
  completeTo: number | null
  path: string
  stale: boolean
}

/** People, views and events over time. */
export function TrafficCard({ rows, step, timezone, completeTo, path, stale }: Props): ReactNode {
  const { live, chips } = useScope()
  const { notes, reload } = useAnnotations()
  const startedRows = rows.filter(({ time }) => Date.parse(time) <= (completeTo ?? Infinity)).length
  // the hour or day that began last is not over yet
  const openFrom = live ? Math.max(0, startedRows - 1) : rows.length
  const named = (name: string, color: string, valueOf: (row: Row) => number): Line => ({
    name,
    color,
    values: rows.map((row, index) => (index < startedRows ? valueOf(row) : null)),
  })
  const lines = [named('Page views', '--blue', ({ views }) => views), named('People', '--teal', ({ users }) => users)]
  const columns = useMemo(
    (): Column<Row>[] => [
      { name: step === 'day' ? 'Date' : 'Hour', value: ({ time }) => formatStep(timezone, Date.parse(time), step) },
      { name: 'People', value: ({ users }) => formatCount(users), numeric: true },
      { name: 'Page views', value: ({ views }) => formatCount(views), numeric: true },
      { name: 'Events', value: ({ events }) => formatCount(events), numeric: true },
    ],
    [step, timezone],
  )
  const newestFirst = useMemo(() => rows.slice(0, startedRows).reverse(), [rows, startedRows])
  return (
    <Card
      title={step === 'day' ? 'Traffic per day' : 'Traffic per hour'}
      size="wide"
      stale={stale}
      {...(chips.length > 0 ? { hint: words.overview.unfiltered } : {})}
      csv={{ path, name: 'traffic' }}
      png={{ name: 'traffic', follows: 'dates' }}
      picture={
        <>
          <LineLegend lines={lines} />
          <LineChart
            label={`People and page views per ${step}; the table has the numbers`}
            lines={lines}
            ticks={rows.map(({ time }) => formatTick(timezone, Date.parse(time), step))}
            titles={rows.map(({ time }) => formatStep(timezone, Date.parse(time), step))}
            openFrom={openFrom}
            format={formatCount}
            height={290}
            notes={chartNotes(
              rows.map(({ time }) => dateIn(timezone, Date.parse(time))),
              notes,
            )}
          />
        </>
      }
      table={
        <DataTable
          caption={`Traffic per ${step}`}
          columns={columns}
          rows={newestFirst}
          rowKey={({ time }) => time}
          first={14}
        />
      }
    >
      <AnnotationList notes={notes} reload={reload} />
    </Card>
  )
}
