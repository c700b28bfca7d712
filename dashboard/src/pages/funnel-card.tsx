import { useMemo, type ReactNode } from 'react'
import type { StageConversion } from '@hopper/contracts'
import { funnelSteps, type FunnelStep } from '../charts/funnel-steps.ts'
import { NOTHING, formatCount, formatPercent } from '../format/numbers.ts'
import { Card } from '../parts/card.tsx'
import { DataTable, type Column } from '../parts/data-table.tsx'

const columns: Column<FunnelStep>[] = [
  { name: 'Stage', value: ({ name }) => name },
  { name: 'Users', value: ({ users }) => formatCount(users), numeric: true },
  { name: 'Conversion', value: ({ rate }) => formatPercent(rate), numeric: true },
  { name: 'Dropped', value: ({ dropped }) => (dropped === null ? NOTHING : formatCount(dropped)), numeric: true },
  { name: 'Drop rate', value: ({ dropRate }) => formatPercent(dropRate), numeric: true },
]

/** The stages as bars, with the drop between them. */
export function FunnelCard({
  conversion,
  path,
  stale,
}: {
  conversion: StageConversion
  path: string
  stale: boolean
}): ReactNode {
  const { rows, total_users } = conversion
  const steps = useMemo(() => funnelSteps({ rows }), [rows])
  return (
    <Card
      title="Conversion"
      size="wide"
      stale={stale}
      csv={{ path, name: 'conversion' }}
      hint={`How many of all ${formatCount(total_users)} users in the range were in each stage.`}
      picture={
        <ol className="funnel" aria-label="Stages of the funnel">
          {steps.map((step) => (
            <Stage key={step.stage} step={step} />
          ))}
        </ol>
      }
      table={
        <DataTable
          caption="Users and conversion per stage"
          columns={columns}
          rows={steps}
          rowKey={({ stage }) => String(stage)}
          first={50}
        />
      }
    />
  )
}

function Stage({ step: { name, users, rate, dropped, dropRate } }: { step: FunnelStep }): ReactNode {
  return (
    <li>
      {dropped !== null && (
        <p className={dropped > 0 ? 'drop' : 'drop gain'}>
          <span aria-hidden="true">{dropped > 0 ? '↓' : '↑'}</span>
          {dropped > 0
            ? ` ${formatCount(dropped)} fewer`
            : dropped < 0
              ? ` ${formatCount(-dropped)} more`
              : ' nobody lost'}
          {dropRate !== null && dropRate > 0 && <span className="drop-rate"> −{formatPercent(dropRate)}</span>}
        </p>
      )}
      <div className="stage">
        <span className="stage-name" title={name}>
          {name}
        </span>
        <span className="stage-track" aria-hidden="true">
          <span className="stage-bar" style={{ width: `${Math.max(0.4, Math.min(1, rate ?? 0) * 100)}%` }} />
        </span>
        <span className="stage-users">{formatCount(users)}</span>
        <span className="stage-rate">{formatPercent(rate)}</span>
      </div>
    </li>
  )
}
