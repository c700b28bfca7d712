import type { FunnelRequest } from '@hopper/contracts'
import type { FunnelPartial, Identities, QueryContext } from '@hopper/engine'

/** Maximum bytes of decoded columns that a thread caches. */
export const CACHE_BYTES_MAX = 1_000_000_000

/** Start options of an engine thread: its lanes, and the owners of all devices. */
export interface EngineShare {
  readonly files: readonly { readonly lane: number; readonly path: string }[]
  readonly identities: Identities
}

/** A funnel to run over the thread's lanes: `hot` with cached decoded columns, else from the files. */
export interface EngineJob {
  readonly request: FunnelRequest
  readonly context: QueryContext
  readonly hot: boolean
  /** true if the columns that break ties between the devices of a person are read */
  readonly withTieBreakers: boolean
}

export interface EngineReply {
  readonly partial: FunnelPartial
  /** bytes of cached decoded columns */
  readonly cacheBytes: number
}
