import type { Registry } from '@hopper/storage'

/** The kinds of records in a dump that belong to an app. */
export const dumpedAppKinds = [
  'funnels',
  'funnelMarks',
  'backfills',
  'elements',
  'properties',
  'alerts',
  'sharedLinks',
  'annotations',
] as const satisfies (keyof Registry)[]

/**
 * The kinds of records in a dump, in the order in which they are read back. Logins are left out because they expire
 * soon and belong to one installation; so are audit results and the progress of imports. Backfills are in it because
 * they say from which positions stages were known.
 */
export const dumpedKinds = [
  'organizations',
  'apps',
  'keys',
  'members',
  'secondFactors',
  'recoveryCodes',
  'providerLinks',
  ...dumpedAppKinds,
] as const satisfies (keyof Registry)[]
export type DumpedKind = (typeof dumpedKinds)[number]

/**
 * Version 1 left out the messages that keep a body as it was sent (decision 0008); version 2 left out from which
 * positions the stages of funnels were known.
 */
export const DUMP_VERSION = 3
/** The first version that has all messages. */
export const OLDEST_DUMP_VERSION = 2
/** Maximum length of a line of a dump. */
export const LINE_BYTES_MAX = 64_000_000

/** One line of a dump. The first is a `DumpHead`, the last a `DumpEnd`; a dump without its last line was truncated. */
export type DumpLine = DumpHead | DumpedRecord | DumpedMessage | DumpEnd

export interface DumpHead {
  readonly hopper: 'dump'
  readonly version: number
  /** identifies this dump, so that an import that is run again continues where it stopped */
  readonly id: string
  readonly lanes: number
  readonly made_at: string
}

export interface DumpedRecord {
  readonly kind: DumpedKind
  readonly owner: string
  readonly id: string
  readonly record: object
}

/** A message of the log, byte for byte, in the order of its lane: as text if the bytes are UTF-8, else as base64. */
export type DumpedMessage = { readonly lane: number; readonly position: number } & (
  { readonly text: string } | { readonly base64: string }
)

/** The counts of each kind in a dump. Import counts again and compares. */
export interface DumpCounts {
  readonly records: Readonly<Partial<Record<DumpedKind, number>>>
  readonly messages: number
  /** number of messages in each lane of the exported log */
  readonly lanes: readonly number[]
  /** number of messages that cannot be decoded: dead letters, kept byte for byte */
  readonly undecodable: number
  readonly apps: Readonly<Record<string, AppCounts>>
}

/**
 * Counts of the messages of an app. Events include duplicates: whether an event is one is known only when it is
 * counted.
 */
export interface AppCounts {
  readonly messages: number
  /** by type */
  readonly events: Readonly<Record<string, number>>
  /** by the reason for suspecting a machine */
  readonly bots: Readonly<Record<string, number>>
  /** events that ingest refused, by reason */
  readonly rejected: Readonly<Record<string, number>>
}

/** The manifest: counts of the lines before it. */
export interface DumpEnd extends DumpCounts {
  readonly end: true
  /** SHA-256 of all lines before this one, in hex */
  readonly sha256: string
}
