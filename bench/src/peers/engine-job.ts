import type { FunnelRequest } from '@hopper/contracts'
import type { FunnelPartial, Identities, QueryContext } from '@hopper/engine'

/** What a thread may keep of decoded columns. */
export const CACHE_BYTES_MAX = 1_000_000_000

/** What a thread of the engine is started with: its lanes, and who all devices belong to. */
export interface EngineShare {
  readonly files: readonly { readonly lane: number; readonly path: string }[]
  readonly identities: Identities
}

/** A funnel to run over the thread's lanes: `hot` with the columns that are decoded already, else from the files. */
export interface EngineJob {
  readonly request: FunnelRequest
  readonly context: QueryContext
  readonly hot: boolean
  /** whether what breaks ties between the devices of a person is read */
  readonly placed: boolean
}

export interface EngineReply {
  readonly partial: FunnelPartial
  /** bytes of decoded columns that are kept */
  readonly cacheBytes: number
}
