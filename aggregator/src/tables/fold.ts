import type { CounterTableName, Key, VisitorTableName } from '@hopper/storage'
import type { CountedEvent } from '../fold/counted-event.ts'

/** Adds to the counters of a row; `deltas` are in the order of the table's definition. */
export type Add = (key: Key, deltas: readonly number[]) => void
/** Adds the event's visitor to a row. */
export type Put = (key: Key) => void

/** Counter table as a pure fold: the deltas of one counted event. The date is the app's local date of the event. */
export interface CounterFold {
  readonly table: Exclude<CounterTableName, 'fates_by_date'>
  readonly fold: (counted: CountedEvent, add: Add) => void
}

/** Visitor table as a pure fold: the rows to which one counted event adds its visitor. */
export interface VisitorFold {
  readonly table: VisitorTableName
  readonly fold: (counted: CountedEvent, put: Put) => void
  /**
   * Returns true when an event adds the same rows as the one before it. A shortcut: most events of a batch follow one
   * of the same visitor.
   */
  readonly repeats?: (before: CountedEvent, counted: CountedEvent) => boolean
}
