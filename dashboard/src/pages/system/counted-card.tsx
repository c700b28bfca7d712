import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { systemWords } from './system-words.ts'

type Fate = Status['fates'][number]

const counted = new Set(['accepted', 'late'])
const { counted: texts } = systemWords

/** The fates of the events, those that count first: neither late nor repeated events are a fault. */
export function CountedCard({ fates }: { fates: readonly Fate[] }): ReactNode {
  const all = Math.max(1, sum(fates))
  if (fates.length === 0)
    return <Card title={texts.title} hint={texts.hint} table={<p className="nothing">{texts.empty}</p>} />
  return (
    <Card title={texts.title} hint={texts.hint}>
      {[true, false].map((isCounted) => {
        const those = fates.filter(({ fate }) => counted.has(fate) === isCounted)
        const name = isCounted ? texts.counted : texts.notCounted
        return (
          <div key={name} className="fates">
            <h3>
              {name}{' '}
              <span className="hint tnum">{`${formatCount(sum(those))} · ${formatPercent(sum(those) / all)}`}</span>
            </h3>
            {those.length > 0 && (
              <DataTable
                caption={name}
                columns={columnsOf(all)}
                rows={[...those].sort((a, b) => b.events - a.events)}
                rowKey={({ fate, reason }) => `${fate} ${reason}`}
              />
            )}
          </div>
        )
      })}
    </Card>
  )
}

function columnsOf(all: number): Column<Fate>[] {
  const { fate, reason, events, share } = texts.columns
  return [
    { name: fate, value: (row) => texts.fates[row.fate] ?? row.fate, bar: (row) => row.events / all },
    { name: reason, value: (row) => texts.reason(row.reason) },
    { name: events, value: (row) => formatCount(row.events), numeric: true },
    { name: share, value: (row) => formatPercent(row.events / all), numeric: true },
  ]
}

function sum(fates: readonly Fate[]): number {
  return fates.reduce((all, { events }) => all + events, 0)
}
