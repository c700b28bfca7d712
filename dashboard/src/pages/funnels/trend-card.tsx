import { useMemo, type ReactNode } from 'react'
import type { FunnelAnswer, ListedFunnel } from '@hopper/contracts'
import { AnnotationList, useAnnotations } from '../../annotations/annotation-list.tsx'
import { chartNotes } from '../../annotations/chart-notes.ts'
import { useShared } from '../../api/session.tsx'
import { LineChart, type Line } from '../../charts/line-chart.tsx'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { formatStep, formatTick } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { dateIn, trendStep } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { trendPoints, type TrendPoint } from './trend.ts'

type Trend = NonNullable<FunnelAnswer['trend']>

/** The rate per day or week: settled solid, dashed where people can still continue. */
export function TrendCard({
  funnel,
  trend,
  timezone,
  compared,
}: {
  funnel: ListedFunnel
  trend: Trend
  timezone: string
  compared?: Trend
}): ReactNode {
  const { range } = useScope()
  const { change } = useSearchState()
  const shared = useShared()
  const { notes, reload } = useAnnotations(funnel.id)
  const step = trendStep(range)
  const { points, openFrom } = useMemo(() => trendPoints(trend), [trend])
  const before = useMemo(() => (compared ? trendPoints(compared).points : undefined), [compared])
  return (
    <Card
      title={words.funnels.trend}
      hint={words.funnels.band}
      size="wide"
      png={{ name: `${funnel.id}-trend` }}
      picture={
        <>
          <Legend hasOpen={openFrom < points.length} isCompared={before !== undefined} />
          <LineChart
            label={words.funnels.trendLabel(step)}
            lines={linesOf(points, before)}
            ticks={points.map(({ time }) => formatTick(timezone, time, 'day'))}
            titles={points.map(({ time }) => formatStep(timezone, time, 'day'))}
            openFrom={openFrom}
            format={formatPercent}
            notes={chartNotes(
              points.map(({ time }) => dateIn(timezone, time)),
              notes,
            )}
            {...(shared
              ? {}
              : {
                  choose: (index: number) => {
                    const date = dateIn(timezone, points[index]!.time)
                    if (step === 'day') change({ range: `${date}..${date}` })
                  },
                })}
          />
        </>
      }
      table={
        <DataTable
          caption={words.funnels.trendLabel(step)}
          columns={columnsOf(timezone, step)}
          rows={[...points].reverse()}
          rowKey={({ time }) => String(time)}
          first={14}
        />
      }
    >
      <AnnotationList notes={notes} reload={reload} funnel={funnel} />
    </Card>
  )
}

function columnsOf(timezone: string, step: 'day' | 'week'): Column<TrendPoint>[] {
  return [
    {
      name: step === 'day' ? words.funnels.day : words.funnels.week,
      value: ({ time }) => formatStep(timezone, time, 'day'),
    },
    { name: words.funnels.started, value: ({ total }) => formatCount(total), numeric: true },
    { name: words.funnels.finished, value: ({ reached }) => formatCount(reached), numeric: true },
    { name: words.funnels.rate, value: ({ rate }) => formatPercent(rate), numeric: true },
  ]
}

function linesOf(points: readonly TrendPoint[], before: readonly TrendPoint[] | undefined): Line[] {
  const now: Line = {
    name: words.funnels.now,
    color: '--blue',
    values: points.map(({ rate }) => rate),
    band: points.map(({ interval }) => interval),
  }
  if (!before) return [now]
  const values = points.map((_, index) => before[index]?.rate ?? null)
  return [now, { name: words.funnels.before, color: '--slate', isCompared: true, values }]
}

function Legend({ hasOpen, isCompared }: { hasOpen: boolean; isCompared: boolean }): ReactNode {
  return (
    <p className="legend">
      <span>{words.funnels.settledLine}</span>
      {hasOpen && <span className="dashed">{words.funnels.openLine}</span>}
      {isCompared && (
        <span className="thin" style={{ '--legend': 'var(--slate)' } as object}>
          {words.funnels.before}
        </span>
      )}
    </p>
  )
}
