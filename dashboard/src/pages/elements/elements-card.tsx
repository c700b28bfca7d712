import type { ReactNode } from 'react'
import type { ElementActions } from '@hopper/contracts'
import { NOTHING, formatCount, formatDuration, formatPercent } from '../../format/numbers.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'

type Row = ElementActions['rows'][number]

const columns: Column<Row>[] = [
  { name: 'Element', value: ({ name }) => name },
  { name: 'Left', value: ({ hover_leave }) => formatCount(hover_leave), numeric: true },
  { name: 'Clicked', value: ({ hover_click }) => formatCount(hover_click), numeric: true },
  { name: 'Click rate', value: (row) => (row.hits === 0 ? NOTHING : formatPercent(clickShare(row))), numeric: true },
  { name: 'Average before leaving', value: ({ average_leave_ms }) => formatDuration(average_leave_ms), numeric: true },
  { name: 'Average before a click', value: ({ average_click_ms }) => formatDuration(average_click_ms), numeric: true },
]

/** Leaves and clicks of each element. */
export function ElementsCard({ rows, path, stale }: { rows: readonly Row[]; path: string; stale: boolean }): ReactNode {
  return (
    <Card
      title="Left or clicked"
      hint="How often people clicked or left an element after hovering over it. A tap is not a hover."
      size="wide"
      stale={stale}
      csv={{ path, name: 'elements' }}
      picture={
        <ul className="split" aria-label="Leaves and clicks per element">
          {rows.map((row) => (
            <Split key={row.xpath} row={row} />
          ))}
        </ul>
      }
      table={
        <DataTable
          caption="Leaves and clicks per element"
          columns={columns}
          rows={rows}
          rowKey={({ xpath }) => xpath}
          first={30}
        />
      }
    />
  )
}

function Split({ row }: { row: Row }): ReactNode {
  const { name, xpath, hits, hover_leave, hover_click, average_leave_ms, average_click_ms } = row
  const share = clickShare(row)
  return (
    <li>
      <div className="split-head">
        <span className="split-name" title={xpath}>
          {name}
        </span>
        <span className="split-rate">{hits === 0 ? 'nobody yet' : `${formatPercent(share)} clicked`}</span>
      </div>
      <div className="split-track" aria-hidden="true">
        {hits > 0 && (
          <>
            <span className="click" style={{ width: `${share * 100}%` }} />
            <span className="leave" />
          </>
        )}
      </div>
      {hits > 0 && (
        <div className="split-foot">
          <span>
            {formatCount(hover_click)} clicked{hover_click > 0 && `, after ${formatDuration(average_click_ms)}`}
          </span>
          <span>
            {formatCount(hover_leave)} left{hover_leave > 0 && `, after ${formatDuration(average_leave_ms)}`}
          </span>
        </div>
      )}
    </li>
  )
}

/** Computes the share from the counts, independent of the unit of the API's percentages. */
function clickShare({ hover_click, hover_leave }: Row): number {
  const all = hover_click + hover_leave
  return all === 0 ? 0 : hover_click / all
}
