import type {
  EventRequest,
  EventResult,
  FunnelRequest,
  FunnelResult,
  JourneyRequest,
  JourneyResult,
  RetentionRequest,
  RetentionResult,
} from '@hopper/contracts'
import type {
  ExportedEvent,
  ExportFormat,
  ExportRange,
  KeyValues,
  RareKeysRequest,
  ValuesRequest,
} from '@hopper/engine'

/** A question for the archive, ready to run. */
export type Query =
  | { readonly kind: 'funnel'; readonly request: FunnelRequest }
  | { readonly kind: 'journeys'; readonly request: JourneyRequest }
  | { readonly kind: 'retention'; readonly request: RetentionRequest }
  | { readonly kind: 'events'; readonly request: EventRequest }
  | { readonly kind: 'values'; readonly request: ValuesRequest }
  | { readonly kind: 'keys'; readonly request: RareKeysRequest }
  | { readonly kind: 'page'; readonly request: PageRequest }
  | { readonly kind: 'person'; readonly request: PersonRequest }
  | { readonly kind: 'export'; readonly request: ExportRequest }

export type QuestionOf<K extends Query['kind']> = Extract<Query, { kind: K }>

/** Events of chunks that overlap a range, in the order of the log. */
export interface PageRequest {
  readonly from: number
  readonly to: number
  /** by lane: the order in the lane of the first that is wanted */
  readonly starts: readonly number[]
  /** so many from there on are passed over */
  readonly skip: number
  readonly limit: number
}
export interface PageResult {
  readonly events: readonly ExportedEvent[]
  /** by lane: where the next page begins */
  readonly next: readonly number[]
}

/** What a person did from `from` on, before `to`. */
export interface PersonRequest {
  readonly kind: 'user' | 'device'
  readonly id: string
  readonly from: number
  readonly to: number
  /** how many lanes the log has: each device is in one */
  readonly lanes: number
  /** events of the timeline, the newest */
  readonly limit: number
}
export interface PersonResult {
  readonly users: readonly string[]
  readonly devices: readonly {
    readonly device_id: string
    readonly first: number
    readonly last: number
    readonly events: number
  }[]
  /** the last value of each trait */
  readonly properties: Readonly<Record<string, string | number | boolean>>
  readonly events: number
  readonly timeline: readonly ExportedEvent[]
}

/** All events of a range, or a part of them. */
export interface ExportRequest extends ExportRange, ExportPart {
  readonly format: ExportFormat
}
/** Which part of an export. */
export interface ExportPart {
  readonly start: ExportPlace
  /** whether it begins with what stands before all events, such as the names of columns */
  readonly isFirst: boolean
  /** whether it ends with what stands behind them */
  readonly isLast: boolean
}
/** Where an export goes on: in which of its chunks, and at which row. */
export interface ExportPlace {
  readonly chunk: number
  readonly row: number
}

/** A question about what persons, devices or sessions did. */
export type UnitQuestion = QuestionOf<'funnel' | 'journeys' | 'retention'>

/** What is answered to each kind. */
export interface Results {
  readonly funnel: FunnelResult
  readonly journeys: JourneyResult
  readonly retention: RetentionResult
  readonly events: EventResult
  readonly values: readonly KeyValues[]
  readonly keys: readonly string[]
  readonly page: PageResult
  readonly person: PersonResult
  /** what is exported goes out part by part; null at the end of the chunks */
  readonly export: ExportPlace | null
}
