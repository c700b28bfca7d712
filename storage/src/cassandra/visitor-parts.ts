import type { Partition, VisitorChange } from '../ports/tables.ts'

const ROWS_PER_PART = 20_000

/** Visitors that a batch puts into all tables of an app and date, at most 20,000 rows. */
export interface VisitorPart extends Partition {
  readonly changes: readonly VisitorChange[]
  readonly rows: number
}

/** The visitors of a batch in parts, nearly always one of an app and date. */
export function visitorParts(visitors: readonly VisitorChange[]): VisitorPart[] {
  const partitions = Map.groupBy(visitors, ({ app, date }) => JSON.stringify([app, date]))
  return [...partitions.values()].flatMap((changes) => cut(changes).map((part): VisitorPart => {
    const { app, date } = part[0]!
    return { app, date, changes: part, rows: part.reduce((sum, { rows }) => sum + rows.length, 0) }
  }))
}

function cut(changes: readonly VisitorChange[]): VisitorChange[][] {
  const parts: VisitorChange[][] = []
  let left = 0
  for (const change of changes) {
    for (let at = 0; at < change.rows.length; ) {
      if (left === 0) {
        parts.push([])
        left = ROWS_PER_PART
      }
      const rows = change.rows.slice(at, at + left)
      parts.at(-1)!.push({ ...change, rows })
      left -= rows.length
      at += rows.length
    }
  }
  return parts
}
