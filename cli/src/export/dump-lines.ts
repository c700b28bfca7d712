import type { Registry } from '@hopper/storage'

/**
 * What a dump has of the registry, in the order in which it is read back. Logins are none of it: they end soon, and are links to one installation.
 */
export const dumpedKinds = ['organizations', 'apps', 'keys', 'members', 'funnels', 'elements'] as const satisfies (keyof Registry)[]
export type DumpedKind = (typeof dumpedKinds)[number]

export const DUMP_VERSION = 1

/** One line of a dump. The first is a `DumpHead`, the last a `DumpEnd`; a dump without its last line was cut. */
export type DumpLine = DumpHead | DumpedRecord | DumpedEnvelope | DumpEnd

export interface DumpHead {
  readonly hopper: 'dump'
  readonly version: number
  readonly lanes: number
  readonly made_at: string
}

export interface DumpedRecord {
  readonly kind: DumpedKind
  readonly owner: string
  readonly id: string
  readonly record: object
}

/** A message of the log as it stands there, in the order of its lane. */
export interface DumpedEnvelope {
  readonly lane: number
  readonly envelope: object
}

export interface DumpEnd {
  readonly end: true
  readonly records: number
  readonly envelopes: number
  /** messages that are no JSON object, such as only a foreign writer puts into a log */
  readonly left_out: number
}
