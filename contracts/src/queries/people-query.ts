import { Type, type Static } from 'typebox'
import { Meta } from './answers.ts'
import { dropCauses, FunnelQuery, type FunnelRequest } from './funnel-query.ts'
import type { StepOutcome } from './instead-query.ts'
import { queryLimits } from './query-limits.ts'

const { people } = FunnelQuery.properties
const value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** The body of `POST people/query`: a funnel, and which of its people to list. */
export const PeopleQuery = Type.Object({
  ...Type.Omit(FunnelQuery, ['trend', 'people']).properties,
  step: Type.Integer({ minimum: 1, description: 'a step of the funnel' }),
  outcome: people.properties.outcome,
  value: Type.Optional(
    Type.Union(value.anyOf, {
      description: 'only those whom `breakdown` assigns to this value; null: those without a value',
    }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: queryLimits.peopleRowsMax, description: 'rows of a page; default: 100' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 4_000, description: '`next` of the previous page' })),
})

/** The last row of a page, which the next one begins after. */
export interface PeoplePlace {
  readonly entered_at: number
  readonly id: string
}

/** A query for the people behind a number, with times in ms; `from` is inclusive, `to` exclusive. */
export interface PeopleRequest extends Omit<FunnelRequest, 'trend' | 'people'> {
  /** from 1 */
  readonly step: number
  readonly outcome: StepOutcome
  /** of `breakdown`; undefined for the people of all values */
  readonly value?: string | number | boolean | null
  readonly limit: number
  readonly after?: PeoplePlace
}

const text = Type.Union([Type.String(), Type.Null()])

/** One of the people behind a number. */
export const PersonRow = Type.Object({
  id: Type.String({ description: 'as in `people` of a funnel query' }),
  name: Type.Optional(Type.String({ description: 'the trait `name` of a user, else `email`' })),
  device: Type.Union(text.anyOf, { description: 'as the first event of the attempt says, like a breakdown' }),
  source: Type.Union(text.anyOf, { description: '`channel` of the same event' }),
  country: Type.Union(text.anyOf, { description: 'of the same event' }),
  entered_at: Type.Integer({ description: 'when the attempt began' }),
  last_at: Type.Integer({ description: 'the last event that the query considers' }),
  last_page: Type.Union(text.anyOf, { description: 'the last page seen or clicked on until then' }),
  steps: Type.Integer({ minimum: 1, description: 'steps that were taken' }),
  cause: Type.Union([Type.Enum([...dropCauses]), Type.Null()], {
    description: 'why no further step was taken; null for those who took all',
  }),
  next: Type.Optional(
    Type.String({ description: 'the page after the last step taken, as in `POST instead/query`; absent for who left' }),
  ),
})
export type PersonRow = Static<typeof PersonRow>

/** The result that the query threads return, latest start first; the API adds `meta`. */
export const PeopleResult = Type.Object({
  total: Type.Integer({ minimum: 0, description: 'people, devices or sessions of all pages' }),
  people: Type.Array(PersonRow),
  next: Type.Optional(Type.String({ description: '`cursor` of the next page; absent on the last one' })),
})
export type PeopleResult = Static<typeof PeopleResult>

/** The response of `POST people/query`. */
export const PeopleAnswer = Type.Object({ ...PeopleResult.properties, meta: Meta })
export type PeopleAnswer = Static<typeof PeopleAnswer>
export type PeopleQuery = Omit<Static<typeof PeopleQuery>, 'steps' | 'filters' | 'exclude'> &
  Partial<Pick<FunnelRequest, 'steps' | 'filters' | 'exclude'>>
