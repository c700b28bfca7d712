import { Type, type Static } from 'typebox'
import { limits } from '../limits.ts'
import { Meta } from './answers.ts'
import { FiltersSchema } from './filter.ts'
import { FunnelQuery } from './funnel-query.ts'
import { PeopleQuery, PersonRow, type PeoplePlace } from './people-query.ts'
import { JourneyGroups, JourneyQuery, type JourneyRequest } from './unit-queries.ts'

const NODE_CHARS_MAX = limits.urlCharsMax + 10
const node = (description: string): ReturnType<typeof Type.String> =>
  Type.String({ minLength: 1, maxLength: NODE_CHARS_MAX, description })
const { from, to, count_by } = FunnelQuery.properties
const { limit, cursor } = PeopleQuery.properties

/** The body of `POST journeys/people`: journeys, and the node or link of them whose people to list. */
export const JourneyPeopleQuery = Type.Object({
  from,
  to,
  ...JourneyQuery.properties,
  groups: Type.Optional(JourneyGroups),
  filters: Type.Optional(FiltersSchema),
  count_by,
  node: Type.Optional(node('the id of a node of `GET journeys`, as `1:/cart` or `2/exit`; this or `link`')),
  link: Type.Optional(
    Type.Object({
      from: node('the id of its first node; `0/entry`: those whose journey begins after step 0'),
      to: node('the id of its second node'),
    }),
  ),
  limit,
  cursor,
})
export type JourneyPeopleQuery = Static<typeof JourneyPeopleQuery>

/** A query for the people of a node or a link, with times in ms; `from` is inclusive, `to` exclusive. */
export interface JourneyPeopleRequest extends JourneyRequest {
  /** one of both */
  readonly node?: string
  readonly link?: { readonly from: string; readonly to: string }
  readonly limit: number
  readonly after?: PeoplePlace
}

const { id, name, last_at, last_page } = PersonRow.properties
const ofFirst = 'of the first visit of a place in the range'

/** One of the people of a node or a link. */
export const JourneyPersonRow = Type.Object({
  id,
  name,
  device: Type.Union(PersonRow.properties.device.anyOf, { description: ofFirst }),
  source: Type.Union(PersonRow.properties.source.anyOf, { description: `\`channel\` ${ofFirst}` }),
  country: Type.Union(PersonRow.properties.country.anyOf, { description: ofFirst }),
  entered_at: Type.Integer({ description: 'arrival at the node, or at the one from which the link leads' }),
  last_at,
  last_page,
})
export type JourneyPersonRow = Static<typeof JourneyPersonRow>

/** The result that the query threads return, latest arrival first; the API adds `meta`. */
export const JourneyPeopleResult = Type.Object({
  total: Type.Integer({
    minimum: 0,
    description: 'people, devices or sessions of all pages: as many as the node says',
  }),
  people: Type.Array(JourneyPersonRow),
  next: Type.Optional(Type.String({ description: '`cursor` of the next page; absent on the last one' })),
})
export type JourneyPeopleResult = Static<typeof JourneyPeopleResult>

/** The response of `POST journeys/people`. */
export const JourneyPeopleAnswer = Type.Object({ ...JourneyPeopleResult.properties, meta: Meta })
export type JourneyPeopleAnswer = Static<typeof JourneyPeopleAnswer>
