import {
  type FunnelAnswer,
  type Value,
  compareProportions,
  SAMPLE_MIN,
  type Proportion,
  type Verdict,
} from '@hopper/contracts'

/** Values with a row of their own; the others are one row. */
export const VALUES_SHOWN = 8

export interface BreakdownRow {
  /** null for those without a value; absent in the row of all other values */
  readonly value?: Value | null
  readonly total: number
  readonly counts: readonly number[]
  readonly rate: number | null
  readonly isSmall: boolean
  /** difference between this rate and that of all others */
  readonly verdict: Verdict
  /** true for the lowest rate of all rows that are not small */
  readonly isWorst: boolean
}

/** Returns a value as the address has it; empty for none. */
export function valueText(value: Value | null): string {
  return String(value ?? '')
}

/** Returns the rows of a breakdown, the largest first, with the worst one marked. */
export function breakdownRows(breakdown: NonNullable<FunnelAnswer['breakdown']>): BreakdownRow[] {
  const named = breakdown.filter(({ other }) => other !== true)
  const shown = named.slice(0, VALUES_SHOWN)
  const folded = [...named.slice(VALUES_SHOWN), ...breakdown.filter(({ other }) => other === true)]
  const raw = shown.map(({ value, steps }) => ({ value, counts: steps.map(({ count }) => count) }))
  const counts = folded.reduce<number[]>(
    (sums, { steps }) => steps.map(({ count }, index) => (sums[index] ?? 0) + count),
    [],
  )
  const rows: { value?: Value | null; counts: readonly number[] }[] = folded.length === 0 ? raw : [...raw, { counts }]
  const all = rows.map((row) => proportionOf(row.counts))
  const sum: Proportion = { hits: total(all, 'hits'), n: total(all, 'n') }
  const sized = rows
    .map((row, index) => ({ row, proportion: all[index]! }))
    .filter(({ row, proportion }) => 'value' in row && proportion.n >= SAMPLE_MIN)
  const lowest = Math.min(...sized.map(({ proportion }) => proportion.hits / proportion.n))
  const worst =
    sized.length < 2 ? undefined : sized.find(({ proportion }) => proportion.hits / proportion.n === lowest)?.row
  return rows.map((row, index) => {
    const proportion = all[index]!
    return {
      ...row,
      total: proportion.n,
      rate: proportion.n === 0 ? null : proportion.hits / proportion.n,
      isSmall: proportion.n < SAMPLE_MIN,
      verdict: compareProportions(proportion, { hits: sum.hits - proportion.hits, n: sum.n - proportion.n }),
      isWorst: row === worst,
    }
  })
}

function proportionOf(counts: readonly number[]): Proportion {
  return { hits: counts.at(-1) ?? 0, n: counts[0] ?? 0 }
}

function total(proportions: readonly Proportion[], key: 'hits' | 'n'): number {
  return proportions.reduce((sum, proportion) => sum + proportion[key], 0)
}
