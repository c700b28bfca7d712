/** Fields of an event that have their own column, besides the whole-number columns and the ids. */
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
  'payload',
  'timestamp_ns',
] as const
/** Columns of the context that ingest determined. */
export const contextColumns = [
  'device',
  'browser',
  'os',
  'country',
  'region',
  'channel',
  'referrer',
  'landing_page',
  'click_id',
  'language',
  'screen',
  'numbered',
  'bot',
  'bot_sign',
  'historical',
] as const
/** The whole-number columns: times of an event and its place in the log. */
export const numberColumns = ['timestamp', 'seq', 'position', 'index', 'received_at'] as const
export type NumberColumn = (typeof numberColumns)[number]
/** Columns with one text per event or per device. */
export const idColumns = ['event_id', 'device_id'] as const

/** Reserved field names. The place in the log is not a field, so `data` may use `position` and `index`. */
const fixed: ReadonlySet<string> = new Set([
  ...eventColumns,
  ...contextColumns,
  'timestamp',
  'seq',
  'received_at',
  ...idColumns,
  'user',
])

/** Columns of `data` keys have this prefix, so that a key with the name of a field does not shadow it. */
export const DATA_PREFIX = 'data.'
const UTM_PREFIX = 'utm_'

/** Returns the column of a campaign parameter, whose name may be given without `utm_`. */
export function utmColumn(name: string): string {
  return name.startsWith(UTM_PREFIX) ? name : UTM_PREFIX + name
}

/** Columns of the entries and names of spilled keys, which have no column of their own (`spilled.ts`). */
export const SPILLED = 'spilled'
export const SPILLED_KEYS = 'spilled_keys'

/** Returns whether senders choose the name of a column. */
export function isFreeColumn(name: string): boolean {
  return name.startsWith(DATA_PREFIX) || name.startsWith(UTM_PREFIX)
}

/** Returns whether the values of a column may be among the spilled entries. */
export function maySpill(columns: Readonly<Record<string, number>>, name: string): boolean {
  return isFreeColumn(name) && Object.hasOwn(columns, SPILLED) && !Object.hasOwn(columns, name)
}

/** Returns the columns of a key that a chunk has, or may have among its spilled keys. */
export function presentColumns(columns: Readonly<Record<string, number>>, key: string): string[] {
  return columnsOfKey(key).filter((name) => Object.hasOwn(columns, name) || maySpill(columns, name))
}

/**
 * Keys for the page of an event by the page rule of the app (`page-url.ts`): `page` as shown in reports, and `page_url`
 * with its scheme, to match against stage patterns. They are not stored: they are computed once per distinct address.
 */
export type PageKey = 'page' | 'page_url'
const addressColumns = ['to', 'current_url'] as const

export function isPageKey(key: string): key is PageKey {
  return key === 'page' || key === 'page_url'
}

/** Returns whether a column contains addresses from which page keys are computed. */
export function isAddressColumn(column: string): boolean {
  return (addressColumns as readonly string[]).includes(column)
}

/**
 * Keys whose value is that of the person an event belongs to: `person`, as `u:USER` or `d:DEVICE`; `user_id`, unless
 * the event has its own; the person's traits; and its computed properties. They are not stored, but computed for each
 * query, from the persons that the devices belong to at that time.
 */
export const PERSON_KEY = 'person'
export const USER_KEY = 'user_id'
export const TRAIT_PREFIX = 'trait.'
export const PROPERTY_PREFIX = 'property.'

/** Key of events that their sender has numbered within the session. */
export const NUMBERED_KEY = 'numbered'

/** Returns whether a query key names a trait; the prefix alone names none. */
export function isTraitKey(key: string): boolean {
  return key.startsWith(TRAIT_PREFIX) && key.length > TRAIT_PREFIX.length
}

/** Returns whether a query key names a computed property; the prefix alone names none. */
export function isPropertyKey(key: string): boolean {
  return key.startsWith(PROPERTY_PREFIX) && key.length > PROPERTY_PREFIX.length
}

/** Returns whether a query key is one of those at `PERSON_KEY`, whose value is that of the event's person. */
export function isPersonKey(key: string): boolean {
  return key === PERSON_KEY || key === USER_KEY || isTraitKey(key) || isPropertyKey(key)
}

/** Returns the columns of a query key by precedence: the first one with a value for the event applies. */
export function columnsOfKey(key: string): readonly string[] {
  if (key.startsWith(DATA_PREFIX)) return [key]
  if (key === USER_KEY) return [key, DATA_PREFIX + key, 'user']
  // The numbers that ingest gives events are not those in a sender's `data`.
  if (key === NUMBERED_KEY) return [key]
  if (isPersonKey(key)) return key === PERSON_KEY ? ['user', 'device_id'] : ['user']
  if (isPageKey(key)) return [...addressColumns, DATA_PREFIX + key]
  return fixed.has(key) || key.startsWith(UTM_PREFIX) ? [key, DATA_PREFIX + key] : [DATA_PREFIX + key]
}
