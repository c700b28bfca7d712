import type { RetentionResult } from '@hopper/contracts'

export interface RetentionRow {
  /** the instant at which the day or week of the first events begins */
  readonly time: number
  readonly size: number
  readonly cells: readonly {
    readonly count: number
    /** of the row's size */
    readonly share: number
    /** true while the day or week of the cell has not ended, so that more can come back */
    readonly isOpen: boolean
  }[]
}

/** As many periods after the first one as are shown. */
const COLUMNS_MAX = 16

/** Returns the cohorts that have anybody, and the number of columns. */
export function retentionGrid(
  cohorts: RetentionResult['cohorts'],
  completeTo: number | null,
): { rows: RetentionRow[]; columns: number } {
  const rows = cohorts.flatMap(({ time, size, again }, index): RetentionRow[] => {
    if (size === 0) return []
    const cells = again.slice(0, COLUMNS_MAX).map((count, after) => {
      // a period ends when the next one begins; of the last one the answer does not say when
      const end = cohorts[index + after + 1]?.time
      return { count, share: count / size, isOpen: end === undefined || completeTo === null || end > completeTo }
    })
    return [{ time, size, cells }]
  })
  return { rows, columns: Math.max(0, ...rows.map(({ cells }) => cells.length)) }
}
