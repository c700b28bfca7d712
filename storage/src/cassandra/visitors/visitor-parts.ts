import type { IdentityChange, Partition, VisitorChange } from '../../ports/tables.ts'
import { splitByCount } from '../client/batches.ts'
import type { PackedRows } from './visitor-block.ts'

const ROWS_PER_PART = 20_000

/** The date of rows without a date: no event can have it. */
export const NO_DATE = '1970-01-01'

/** The rows that a batch adds to tables of an app and date, at most 20,000. */
export interface Part<T extends PackedRows = PackedRows> extends Partition {
  readonly changes: readonly T[]
  readonly rows: number
}

export type VisitorPart = Part<VisitorChange>

/** Splits the visitors of a batch into parts, nearly always one per app and date. */
export function visitorParts(visitors: readonly VisitorChange[]): VisitorPart[] {
  const partitions = Map.groupBy(visitors, ({ app, date }) => JSON.stringify([app, date]))
  return [...partitions.values()].flatMap((changes) =>
    cut(changes).map((part): VisitorPart => {
      const { app, date } = part[0]!
      return { app, date, changes: part, rows: part.reduce((sum, { rows }) => sum + rows.length, 0) }
    }),
  )
}

/** Splits the identities of a batch into parts. The first one of a device is in one of them, or was written earlier. */
export function identityParts(identities: readonly IdentityChange[]): Part[] {
  return [...Map.groupBy(identities, ({ app }) => app)].flatMap(([app, ofApp]) =>
    splitByCount(ofApp, ROWS_PER_PART).map((some): Part => {
      const rows = some.map(({ place, user, device }) => ({ key: [place], visitor: { user, device } }))
      return { app, date: NO_DATE, changes: [{ table: 'first_users', rows }], rows: rows.length }
    }),
  )
}

function cut(changes: readonly VisitorChange[]): VisitorChange[][] {
  const parts: VisitorChange[][] = []
  let left = 0
  for (const change of changes) {
    for (let start = 0; start < change.rows.length;) {
      if (left === 0) {
        parts.push([])
        left = ROWS_PER_PART
      }
      const rows = change.rows.slice(start, start + left)
      parts.at(-1)!.push({ ...change, rows })
      left -= rows.length
      start += rows.length
    }
  }
  return parts
}
