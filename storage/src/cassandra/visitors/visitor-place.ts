import type { Key, VisitorTableName } from '../../ports/table-definitions.ts'

/** Where rows of visitors stand, and below which prefix of their key. */
export interface VisitorPlace {
  readonly table: VisitorTableName
  readonly app: string
  readonly date: string
  readonly lane: number
  readonly prefix: Key
}
