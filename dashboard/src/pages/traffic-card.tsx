import { useCallback, useMemo, type ReactNode } from 'react'
import type { Traffic } from '@hopper/contracts'
import { Chart } from '../charts/chart.tsx'
import { timeChart } from '../charts/time-chart.ts'
import type { Theme } from '../charts/theme.ts'
import { formatCount } from '../format/numbers.ts'
import { formatStep } from '../format/times.ts'
import { Card } from '../parts/card.tsx'
import { DataTable, type Column } from '../parts/data-table.tsx'

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

/** Users, views and events over time. */
export function TrafficCard({ rows, step, timezone, completeTo, path, stale }: Props): ReactNode {
  const begun = rows.filter(({ time }) => Date.parse(time) <= (completeTo ?? Infinity)).length
  const draw = useCallback(
    (theme: Theme) =>
      timeChart(
        {
          times: rows.map(({ time }) => Date.parse(time)),
          step,
          timezone,
          series: [
            { name: 'Page views', values: rows.map(({ views }, index) => (index < begun ? views : null)) },
            { name: 'Users', values: rows.map(({ users }, index) => (index < begun ? users : null)) },
            { name: 'Events', values: rows.map(({ events }, index) => (index < begun ? events : null)), hidden: true },
          ],
        },
        theme,
      ),
    [rows, begun, step, timezone],
  )
  const columns = useMemo(
    (): Column<Row>[] => [
      { name: step === 'day' ? 'Date' : 'Hour', value: ({ time }) => formatStep(timezone, Date.parse(time), step) },
      { name: 'Users', value: ({ users }) => formatCount(users), numeric: true },
      { name: 'Page views', value: ({ views }) => formatCount(views), numeric: true },
      { name: 'Events', value: ({ events }) => formatCount(events), numeric: true },
    ],
    [step, timezone],
  )
  const newestFirst = useMemo(() => rows.slice(0, begun).reverse(), [rows, begun])
  return (
    <Card
      title={step === 'day' ? 'Traffic per day' : 'Traffic per hour'}
      size="wide"
      stale={stale}
      csv={{ path, name: 'traffic' }}
      picture={
        <Chart label={`Users, page views and events per ${step}; the table has the numbers`} draw={draw} height={290} />
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
    />
  )
}
