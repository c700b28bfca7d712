import type { EventRequest, EventResult, FunnelRequest, FunnelResult, JourneyRequest, JourneyResult, RetentionRequest, RetentionResult } from '@hopper/contracts'

/** A question for the archive, ready to run. */
export type Question =
  | { readonly kind: 'funnel'; readonly request: FunnelRequest }
  | { readonly kind: 'journeys'; readonly request: JourneyRequest }
  | { readonly kind: 'retention'; readonly request: RetentionRequest }
  | { readonly kind: 'events'; readonly request: EventRequest }

export type QuestionOf<K extends Question['kind']> = Extract<Question, { kind: K }>

/** What is answered to each kind. */
export interface Results {
  readonly funnel: FunnelResult
  readonly journeys: JourneyResult
  readonly retention: RetentionResult
  readonly events: EventResult
}
