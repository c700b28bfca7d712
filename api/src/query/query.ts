import type {
  ElementsRequest,
  ElementsResult,
  EventRequest,
  EventResult,
  FunnelRequest,
  FunnelResult,
  HesitationRequest,
  HesitationResult,
  InsteadRequest,
  InsteadResult,
  JourneyPeopleRequest,
  JourneyPeopleResult,
  JourneyRequest,
  JourneyResult,
  LossRequest,
  LossResult,
  PeopleRequest,
  PeopleResult,
  RetentionRequest,
  RetentionResult,
  SourcesRequest,
  SourcesResult,
} from '@hopper/contracts'
import type {
  EventPlace,
  ExportedEvent,
  ExportFormat,
  ExportRange,
  KeyValues,
  NewestRequest,
  PersonPlace,
  PersonsRequest,
  PutStart,
  RareKeysRequest,
  ValuesRequest,
} from '@hopper/engine'
import type { Headed } from './result.ts'

/** A query over the archive, ready to run. */
export type Query =
  | { readonly kind: 'funnel'; readonly request: FunnelRequest }
  | { readonly kind: 'elements'; readonly request: ElementsRequest }
  | { readonly kind: 'hesitation'; readonly request: HesitationRequest }
  | { readonly kind: 'instead'; readonly request: InsteadRequest }
  | { readonly kind: 'journeys'; readonly request: JourneyRequest }
  | { readonly kind: 'retention'; readonly request: RetentionRequest }
  | { readonly kind: 'sources'; readonly request: SourcesRequest }
  | { readonly kind: 'loss'; readonly request: LossRequest }
  | { readonly kind: 'events'; readonly request: EventRequest }
  | { readonly kind: 'values'; readonly request: ValuesRequest }
  | { readonly kind: 'keys'; readonly request: RareKeysRequest }
  | { readonly kind: 'traits'; readonly request: RareKeysRequest }
  | { readonly kind: 'page'; readonly request: PageRequest }
  | { readonly kind: 'encoded_page'; readonly request: PageRequest }
  | { readonly kind: 'newest'; readonly request: NewestRequest }
  | { readonly kind: 'puts'; readonly request: PutsRequest }
  | { readonly kind: 'person'; readonly request: PersonRequest }
  | { readonly kind: 'people'; readonly request: PeopleQuestion }
  | { readonly kind: 'journey_people'; readonly request: JourneyPeopleQuestion }
  | { readonly kind: 'persons'; readonly request: PersonsQuestion }
  | { readonly kind: 'session'; readonly request: SessionRequest }
  | { readonly kind: 'export'; readonly request: ExportRequest }

export type QueryOf<K extends Query['kind']> = Extract<Query, { kind: K }>

/** Requests events of chunks that overlap a range, in log order. */
export interface PageRequest {
  readonly from: number
  readonly to: number
  /** by lane: the order of the first event to return */
  readonly starts: readonly number[]
  /** number of events to skip from there on */
  readonly skip: number
  readonly limit: number
}
export interface PageResult {
  readonly events: readonly ExportedEvent[]
  /** by lane: the start of the next page */
  readonly next: readonly number[]
}
/** A page of events that is encoded as it is answered. */
export interface PageHead extends Pick<PageResult, 'next'> {
  /** times of the earliest and the latest event; absent for an empty page */
  readonly times?: readonly [number, number]
  /** hash of the body */
  readonly digest: string
}

/** A page of the newest events that is encoded as it is answered. */
export interface NewestHead extends Omit<PageHead, 'next'> {
  /** the place of the last event, if there may be older ones */
  readonly next?: EventPlace
}

/** Requests events that came by `PUT /events`, in the order of `PutStart`. */
export interface PutsRequest extends PutStart {
  readonly from: number
  readonly to: number
  readonly limit: number
  /** only events that were received before this, since the order of later ones is not final */
  readonly before: number
}
/** A page of put events that is encoded as it is answered. */
export interface PutsHead extends Pick<PageHead, 'next' | 'digest'> {
  readonly events: number
  /** the time of receipt of the first event that the bound `before` has excluded */
  readonly excluded?: number
}

/** Requests the events of a person from `from` to before `to`. */
export interface PersonRequest {
  readonly kind: 'user' | 'device'
  readonly id: string
  readonly from: number
  readonly to: number
  /** number of lanes of the log: each device is in one */
  readonly lanes: number
  /** maximum number of events in the timeline; the newest are kept */
  readonly limit: number
  /** only events before this one are in the timeline */
  readonly before?: EventPlace
}
export interface PersonResult {
  readonly users: readonly string[]
  readonly devices: readonly {
    readonly device_id: string
    readonly first: number
    readonly last: number
    readonly events: number
  }[]
  readonly traits: Attributes
  readonly properties: Attributes
  readonly events: number
  readonly timeline: readonly ExportedEvent[]
  /** true if there are older events */
  readonly more: boolean
}

/** The last values of the traits of a person, or its computed properties, over all its events. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>

/** Requests a page of the people behind a number of a funnel. */
export interface PeopleQuestion extends PeopleRequest {
  /** number of lanes of the log: each device is in one */
  readonly lanes: number
}

/** Requests a page of the people of a node or a link of journeys. */
export interface JourneyPeopleQuestion extends JourneyPeopleRequest {
  /** number of lanes of the log: each device is in one */
  readonly lanes: number
}

/** Requests a page of persons; a person has its traits and the computed properties of the context. */
export interface PersonsQuestion extends PersonsRequest {
  /** number of lanes of the log: each device is in one */
  readonly lanes: number
}
export interface PersonsResult {
  readonly persons: readonly {
    readonly id: string
    readonly users: readonly string[]
    readonly devices: number
    readonly first_seen: number
    readonly last_seen: number
    readonly events: number
    readonly traits: Attributes
    readonly properties: Attributes
  }[]
  /** the place of the last person, if more follow */
  readonly next: PersonPlace | null
}

/** Requests the events of a session from `from` to before `to`. */
export interface SessionRequest {
  readonly id: string
  readonly from: number
  readonly to: number
  /** maximum number of children; the earliest are kept */
  readonly limit: number
}
export interface SessionResult {
  /** times of the events that mark its start and its end */
  readonly started?: number
  readonly ended?: number
  /** its other events, ordered by time */
  readonly children: readonly { readonly timestamp: number; readonly name: string }[]
  /** true if there are more */
  readonly hasMore: boolean
}

/** An export of all events of a range, or a part of it. */
export interface ExportRequest extends ExportRange, ExportPart {
  readonly format: ExportFormat
}
/** The part of an export. */
export interface ExportPart {
  readonly start: ExportPlace
  /** true for the part that writes what precedes all events, such as the column names */
  readonly isFirst: boolean
  /** true for the part that writes what follows all events */
  readonly isLast: boolean
}
/** The position from which an export continues: the index of a chunk and a row in it. */
export interface ExportPlace {
  readonly chunk: number
  readonly row: number
}

/** A query about the behaviour of persons, devices or sessions. */
export type UnitQuery = QueryOf<
  'elements' | 'funnel' | 'hesitation' | 'instead' | 'journeys' | 'retention' | 'sources' | 'loss'
>

/** The result of each kind of query. */
export interface Results {
  readonly funnel: FunnelResult
  readonly elements: ElementsResult
  readonly hesitation: HesitationResult
  readonly instead: InsteadResult
  readonly journeys: JourneyResult
  readonly retention: RetentionResult
  readonly sources: SourcesResult
  readonly loss: LossResult
  readonly events: EventResult
  readonly values: readonly KeyValues[]
  readonly keys: readonly string[]
  /** the names of traits, sorted */
  readonly traits: readonly string[]
  readonly page: PageResult
  readonly encoded_page: Headed<PageHead>
  readonly newest: Headed<NewestHead>
  readonly puts: Headed<PutsHead>
  readonly people: PeopleResult
  readonly journey_people: JourneyPeopleResult
  readonly person: PersonResult
  readonly persons: PersonsResult
  readonly session: SessionResult
  /** exported events are sent part by part; null at the end of the chunks */
  readonly export: ExportPlace | null
}
