import type { EventRequest, EventResult, FunnelRequest, FunnelResult, JourneyRequest, JourneyResult, RetentionRequest, RetentionResult } from '@hopper/contracts'
import type { KeyValues, ValuesRequest } from '@hopper/engine'

/** A question for the archive, ready to run. */
export type Question =
  | { readonly kind: 'funnel'; readonly request: FunnelRequest }
  | { readonly kind: 'journeys'; readonly request: JourneyRequest }
  | { readonly kind: 'retention'; readonly request: RetentionRequest }
  | { readonly kind: 'events'; readonly request: EventRequest }
  | { readonly kind: 'values'; readonly request: ValuesRequest }

export type QuestionOf<K extends Question['kind']> = Extract<Question, { kind: K }>

/** A question about what persons, devices or sessions did. */
export type UnitQuestion = QuestionOf<'funnel' | 'journeys' | 'retention'>

/** What is answered to each kind. */
export interface Results {
  readonly funnel: FunnelResult
  readonly journeys: JourneyResult
  readonly retention: RetentionResult
  readonly events: EventResult
  readonly values: readonly KeyValues[]
}
