import type { Key, VisitorTableName } from '../../ports/table-definitions.ts'

/** A partition of visitor rows, and a prefix of their key. */
export interface VisitorPlace {
  readonly table: VisitorTableName
  readonly app: string
  readonly date: string
  readonly lane: number
  readonly prefix: Key
}
