import type { AnnotationView } from '@hopper/contracts'

/** A mark on a chart: an annotation at the points that it is about. */
export interface ChartNote {
  /** in the list below the chart, from 1 */
  readonly number: number
  /** index of the first point */
  readonly from: number
  /** index of the last point */
  readonly to: number
  readonly text: string
}

/**
 * Returns where annotations are on a chart. `dates` has the local date at which each point begins, ascending: several
 * points of one date are hours, and a point of a week stands for the dates up to the next one.
 */
export function chartNotes(dates: readonly string[], annotations: readonly AnnotationView[]): ChartNote[] {
  if (dates.length === 0) return []
  return annotations.map(({ from, to, text }, index) => {
    const first = pointOf(dates, from)
    const last =
      to === undefined
        ? first
        : Math.max(
            first,
            dates.findLastIndex((date) => date <= to),
          )
    return { number: index + 1, from: first, to: last, text }
  })
}

/** The point of a date: the first of it, else the one before it. */
function pointOf(dates: readonly string[], date: string): number {
  const exact = dates.indexOf(date)
  return exact >= 0
    ? exact
    : Math.max(
        0,
        dates.findLastIndex((one) => one <= date),
      )
}
