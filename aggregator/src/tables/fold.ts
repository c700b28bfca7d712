import type { CounterTableName, Key, VisitorTableName } from '@hopper/storage'
import type { CountedEvent } from '../fold/counted-event.ts'

/** Adds to the counters of a row; `deltas` in the order of the table's definition. */
export type Add = (key: Key, deltas: readonly number[]) => void
/** Puts the event's visitor into a row. */
export type Put = (key: Key) => void

/** A counter table as a pure fold: what one counted event adds. The date is the app's local date of the event. */
export interface CounterFold {
  readonly table: Exclude<CounterTableName, 'fates_by_date'>
  readonly fold: (counted: CountedEvent, add: Add) => void
}

/** A table of visitors as a pure fold: the rows that one counted event puts its visitor into. */
export interface VisitorFold {
  readonly table: VisitorTableName
  readonly fold: (counted: CountedEvent, put: Put) => void
  /**
   * Whether an event puts the same rows as the one before it; a shortcut, since most events of a batch follow one of
   * the same visitor.
   */
  readonly repeats?: (before: CountedEvent, counted: CountedEvent) => boolean
}
