/** The type of a key column: text or integer. */
export type ColumnType = 'text' | 'int'
export type KeyValue = string | number
/** The values of a table's key columns, in the order of the table's definition. */
export type Key = readonly KeyValue[]

/** A table of counters: partition (app, date, lane) with the static counter `applied`; rows by `key`. */
export interface CounterTable {
  readonly key: Readonly<Record<string, ColumnType>>
  readonly counters: readonly string[]
}

/**
 * A table of visitors: partition (app, date, lane); rows by `key`, then (user, device). Writing a row again is
 * idempotent.
 */
export interface VisitorTable {
  readonly key: Readonly<Record<string, ColumnType>>
}

/**
 * Counter tables (docs/tables.md). The order of the columns is the order of the values in every change and every row
 * read.
 */
export const counterTables = {
  /** average time in a stage */
  stage_time_by_date: { key: { funnel: 'text', stage: 'int' }, counters: ['elapsed', 'hit'] },
  /** share of both actions of an element, and average durations */
  element_actions_by_date: {
    key: { xpath: 'text' },
    counters: ['hover_leave', 'elapsed_leave', 'hover_click', 'elapsed_click', 'hit'],
  },
  /** correlation between duration and action; `bucket` by `durationBucket` */
  element_durations_by_date: { key: { xpath: 'text', action: 'text', bucket: 'int' }, counters: ['hit'] },
  /** views per page; `elapsed` is the sum over the `left` visits whose end was seen */
  page_views_by_date: { key: { url: 'text' }, counters: ['hit', 'elapsed', 'left'] },
  /** most clicked targets */
  clicks_by_date: { key: { url: 'text', target: 'text' }, counters: ['hit', 'elapsed'] },
  /** traffic per hour (`TimeZone.hourOf`) */
  activity_by_date: { key: { hour: 'int' }, counters: ['events', 'views'] },
  /** number of events by fate and reason; the date is the UTC date of receipt */
  fates_by_date: { key: { fate: 'text', reason: 'text' }, counters: ['events'] },
} as const satisfies Record<string, CounterTable>
export type CounterTableName = keyof typeof counterTables
export const counterTableNames = Object.keys(counterTables) as CounterTableName[]

/** Tables of sets of visitors (docs/tables.md). */
export const visitorTables = {
  /** unique users per stage and date */
  stage_users_by_date: { key: { funnel: 'text', stage: 'int' } },
  /** stage graph: weight = unique users; `from_stage` is -1 for an entry from outside the funnel */
  stage_edges_by_date: { key: { funnel: 'text', from_stage: 'int', to_stage: 'int' } },
  /** all users in a time frame, per hour */
  users_by_date: { key: { hour: 'int' } },
  /** most common device, browser, os, country */
  agents_by_date: { key: { kind: 'text', value: 'text' } },
} as const satisfies Record<string, VisitorTable>
export type VisitorTableName = keyof typeof visitorTables
export const visitorTableNames = Object.keys(visitorTables) as VisitorTableName[]
