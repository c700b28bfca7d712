import { Type, type Static } from 'typebox'
import { Meta } from './answers.ts'
import { FunnelQuery, type DropCause, type FunnelRequest } from './funnel-query.ts'
import { JourneyGroups } from './unit-queries.ts'

const { people } = FunnelQuery.properties

/** The body of `POST instead/query`: a funnel, and which of its people the query is about. */
export const InsteadQuery = Type.Object({
  ...Type.Omit(FunnelQuery, ['breakdown', 'trend', 'people']).properties,
  step: Type.Integer({ minimum: 1, description: 'a step of the funnel' }),
  outcome: people.properties.outcome,
  groups: Type.Optional(JourneyGroups),
})

/** Outcome of a step of a funnel, as in the `people` of a funnel query. */
export type StepOutcome = 'reached' | 'dropped' | DropCause

/** A query about what people did instead, with times in ms; `from` is inclusive, `to` exclusive. */
export interface InsteadRequest extends Omit<FunnelRequest, 'breakdown' | 'trend' | 'people'> {
  /** from 1 */
  readonly step: number
  readonly outcome: StepOutcome
  /** patterns of pages, like `/products/*`: the pages that one of them matches are one place, named by the pattern */
  readonly groups?: readonly string[]
}

const count = Type.Integer({ minimum: 0 })
const place = Type.Object({
  value: Type.String(),
  users: Type.Integer({ minimum: 1 }),
  other: Type.Optional(Type.Boolean({ description: 'true for the row of all places that have none of their own' })),
})

/**
 * Actions of each person after its last step: the users of `pages` and `left` add up to `people`, and so do
 * those of `clicks` and `no_click`.
 */
export const InsteadResult = Type.Object({
  people: Type.Integer({ minimum: 0, description: 'people, devices or sessions with this outcome' }),
  pages: Type.Array(place, {
    description: 'the next page that is another one, the most frequent first',
  }),
  left: Type.Integer({ minimum: 0, description: 'those who saw no other page within the pause of a session' }),
  clicks: Type.Array(place, {
    description: 'the next element that was clicked, by XPath, the most frequent first',
  }),
  no_click: count,
})
export type InsteadResult = Static<typeof InsteadResult>

/** The response of `POST instead/query`. */
export const InsteadAnswer = Type.Object({ ...InsteadResult.properties, meta: Meta })
export type InsteadAnswer = Static<typeof InsteadAnswer>
export type InsteadQuery = Omit<Static<typeof InsteadQuery>, 'steps' | 'filters' | 'exclude'> &
  Partial<Pick<FunnelRequest, 'steps' | 'filters' | 'exclude'>>
