/** Fields of an event that are columns of their own, beside the whole-number columns and the ids. */
export const eventColumns = [
  'type',
  'name',
  'session_id',
  'user_id',
  'target',
  'action',
  'elapsed_time',
  'current_url',
  'from',
  'to',
  'funnel',
  'entered',
  'samplerate',
  'client_time',
  'pointer',
] as const
/** What ingest learned about the sender. */
export const contextColumns = ['device', 'browser', 'os', 'country', 'referrer', 'bot', 'historical'] as const
/** The whole-number columns: their place in the log and in time. */
export const numberColumns = ['timestamp', 'seq', 'position', 'index', 'received_at'] as const
export type NumberColumn = (typeof numberColumns)[number]
/** Columns that hold one text an event, or one a device. */
export const idColumns = ['event_id', 'device_id'] as const

/** Fields of every event; the place in the log is none, so `position` and `index` are free for `data`. */
const fixed: ReadonlySet<string> = new Set([
  ...eventColumns,
  ...contextColumns,
  'timestamp',
  'seq',
  'received_at',
  ...idColumns,
  'user',
])

/** Keys of `data` stand in columns of this prefix, so that a key named like a field takes nothing from it. */
export const DATA_PREFIX = 'data.'
const UTM_PREFIX = 'utm_'

export function utmColumn(name: string): string {
  return name.startsWith(UTM_PREFIX) ? name : UTM_PREFIX + name
}

/** The entries of rare keys, which have no column of their own, and the names of these keys (`spilled.ts`). */
export const SPILLED = 'spilled'
export const SPILLED_KEYS = 'spilled_keys'

/** Whether senders choose the name of a column. */
export function isFreeColumn(name: string): boolean {
  return name.startsWith(DATA_PREFIX) || name.startsWith(UTM_PREFIX)
}

/** Whether the values of a column may be among the entries of rare keys. */
export function maySpill(columns: Readonly<Record<string, number>>, name: string): boolean {
  return isFreeColumn(name) && Object.hasOwn(columns, SPILLED) && !Object.hasOwn(columns, name)
}

/** Those columns for a key that a chunk has, or may have among its rare keys. */
export function presentColumns(columns: Readonly<Record<string, number>>, key: string): string[] {
  return columnsOfKey(key).filter((name) => Object.hasOwn(columns, name) || maySpill(columns, name))
}

/**
 * Keys of the page that an event is about, by the app's rule (`page-url.ts`): as reports show it, and with its scheme,
 * as patterns of stages are compared with it. No column holds them: they are worked out of an address for each of its
 * different values.
 */
export type PageKey = 'page' | 'page_url'
const addressColumns = ['to', 'current_url'] as const

export function isPageKey(key: string): key is PageKey {
  return key === 'page' || key === 'page_url'
}

/** Whether a column holds addresses that keys of the page are worked out of. */
export function isAddressColumn(column: string): boolean {
  return (addressColumns as readonly string[]).includes(column)
}

/** The columns that answer for a key of a query, in order: the first that has a value for the event gives it. */
export function columnsOfKey(key: string): readonly string[] {
  if (key.startsWith(DATA_PREFIX)) return [key]
  if (isPageKey(key)) return [...addressColumns, DATA_PREFIX + key]
  return fixed.has(key) || key.startsWith(UTM_PREFIX) ? [key, DATA_PREFIX + key] : [DATA_PREFIX + key]
}
