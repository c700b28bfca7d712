import type { ReactNode } from 'react'
import type { DropCause } from '@hopper/contracts'
import { formatCount, formatDuration, formatPercent } from '../../format/numbers.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { useScope } from '../../state/scope.tsx'
import { causes } from '../../state/search.ts'
import { words } from '../../words.ts'
import type { StageRow } from './stage-rows.ts'

/** The same numbers as the bars, as a table. */
export function StageTable({ rows, before }: { rows: readonly StageRow[]; before?: readonly StageRow[] }): ReactNode {
  const { unit } = useScope()
  const countOf = (row: StageRow, cause: DropCause): number =>
    cause === 'open' ? row.deciding : (row.causes.find((one) => one.cause === cause)?.count ?? 0)
  const shown = causes.filter((cause) => rows.some((row) => countOf(row, cause) > 0))
  const columns: Column<StageRow>[] = [
    { name: words.funnels.stage, value: ({ stage, name }) => `${stage} ${name}` },
    { name: words.units[unit].name, value: ({ count }) => formatCount(count), numeric: true },
    { name: words.funnels.fromFirst, value: ({ rate }) => formatPercent(rate), numeric: true },
    { name: words.funnels.fromBefore, value: ({ rateFromBefore }) => formatPercent(rateFromBefore), numeric: true },
    ...(before
      ? [
          {
            name: words.funnels.before,
            value: ({ stage }: StageRow) => formatCount(before[stage - 1]?.count ?? 0),
            numeric: true,
          },
        ]
      : []),
    { name: words.funnels.median, value: ({ medianMs }) => formatDuration(medianMs), numeric: true },
    ...shown.map((cause) => ({
      name: words.causes[cause],
      value: (row: StageRow) => formatCount(countOf(row, cause)),
      numeric: true,
    })),
  ]
  return (
    <DataTable
      caption={words.funnels.chart}
      columns={columns}
      rows={rows}
      rowKey={({ stage }) => String(stage)}
      first={100}
    />
  )
}
