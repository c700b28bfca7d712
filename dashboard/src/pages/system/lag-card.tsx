import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { formatCount, formatRate, formatSeconds } from '../../format/numbers.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { systemWords } from './system-words.ts'

type Lane = Status['lanes'][number]

const { lag: texts } = systemWords
const columns: Column<Lane>[] = [
  { name: texts.columns.lane, value: ({ lane }) => String(lane) },
  { name: texts.columns.received, value: ({ next }) => formatCount(next), numeric: true },
  { name: texts.columns.counted, value: ({ done }) => formatCount(done), numeric: true },
  {
    name: texts.columns.lag,
    value: ({ lag, lost }) => (lost ? texts.lost(formatCount(lost.next - lost.first)) : formatCount(lag)),
    numeric: true,
  },
]

/** The distance of counting to what was received, in events and seconds; per lane on demand. */
export function LagCard({ status: { lag, lanes, events_per_second: rate } }: { status: Status }): ReactNode {
  return (
    <Card title={texts.title}>
      <dl className="facts">
        <dt>{texts.events}</dt>
        <dd>{lag.events === 0 ? texts.nothing : formatCount(lag.events)}</dd>
        {lag.events > 0 && lag.seconds !== null && (
          <>
            <dt>{texts.oldest}</dt>
            <dd>{texts.ago(formatSeconds(lag.seconds))}</dd>
          </>
        )}
        <dt>{texts.rate}</dt>
        <dd>{formatRate(rate)}</dd>
        {lag.events > 0 && lag.remaining_seconds !== null && (
          <>
            <dt>{texts.left}</dt>
            <dd>{formatSeconds(Math.ceil(lag.remaining_seconds))}</dd>
          </>
        )}
      </dl>
      <details className="folded" open={lanes.some(({ lost }) => lost !== undefined)}>
        <summary>{texts.lanes(lanes.length)}</summary>
        <DataTable
          caption={texts.lanes(lanes.length)}
          columns={columns}
          rows={lanes}
          rowKey={({ lane }) => String(lane)}
          first={64}
        />
      </details>
    </Card>
  )
}
