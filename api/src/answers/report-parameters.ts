import { Type, type Static } from 'typebox'
import {
  EventResult,
  funnelUnits,
  JourneyResult,
  limits,
  lossKeys,
  LossResult,
  Meta,
  queryLimits,
  RetentionResult,
  sourceKeys,
  sourceOrders,
  SourcesResult,
  type FunnelUnit,
} from '@hopper/contracts'

/** Query parameters of the dashboard API. */
const date = (what: string): ReturnType<typeof Type.String> => Type.String({ maxLength: 40, description: what })
const range = {
  from: Type.Optional(date("first date, like 2026-01-31, in the app's time zone; default: 6 days before `to`")),
  to: Type.Optional(date('last date, included; default: today')),
}
const countBy = {
  count_by: Type.Optional(
    Type.Union([Type.Literal('person'), Type.Literal('device')], { description: 'unit of a user; default: person' }),
  ),
}
const funnel = {
  funnel: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.idCharsMax,
      description: "id of a funnel; default: the app's first",
    }),
  ),
}
const FILTERS_CHARS_MAX = 8_000
const filters = Type.Optional(
  Type.String({
    maxLength: FILTERS_CHARS_MAX,
    description: 'filters as in a query, as JSON: [{"type":"eq","key":"country","value":"DE"}]',
  }),
)
const xpath = Type.String({ minLength: 1, maxLength: limits.xpathCharsMax, description: 'the element' })

export const RangeParameters = Type.Object(range)
export type RangeParameters = Static<typeof RangeParameters>
export const AnnotationsParameters = Type.Object({
  ...range,
  funnel: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.idCharsMax,
      description: 'only annotations of the whole app and of this funnel; default: all',
    }),
  ),
})
export type AnnotationsParameters = Static<typeof AnnotationsParameters>
export const ChangesParameters = Type.Object({
  ...range,
  lastEventId: Type.Optional(
    Type.String({
      maxLength: 64,
      description: '`id` of the last event that the client has; the header Last-Event-ID takes precedence',
    }),
  ),
})
export type ChangesParameters = Static<typeof ChangesParameters>
export const StagesParameters = Type.Object({ ...range, ...funnel, ...countBy })
export type StagesParameters = Static<typeof StagesParameters>
export const StageTimeParameters = Type.Object({ ...range, ...funnel })
export type StageTimeParameters = Static<typeof StageTimeParameters>
export const ElementsParameters = Type.Object({ ...range, xpath: Type.Optional(xpath) })
export type ElementsParameters = Static<typeof ElementsParameters>
export const ElementParameters = Type.Object({ ...range, xpath })
export type ElementParameters = Static<typeof ElementParameters>
export const AgentsParameters = Type.Object({
  ...range,
  ...countBy,
  by: Type.Union([Type.Literal('device'), Type.Literal('browser'), Type.Literal('os'), Type.Literal('country')], {
    description: 'device, browser, os or country',
  }),
})
export type AgentsParameters = Static<typeof AgentsParameters>
export const TrafficParameters = Type.Object({
  ...range,
  ...countBy,
  by: Type.Optional(
    Type.Union([Type.Literal('hour'), Type.Literal('day')], { description: 'hour or day; default: day' }),
  ),
})
export type TrafficParameters = Static<typeof TrafficParameters>
export const JourneysParameters = Type.Object({
  ...range,
  count_by: Type.Optional(
    Type.Unsafe<FunnelUnit>(
      Type.Union(
        funnelUnits.map((unit) => Type.Literal(unit)),
        { description: 'unit of a journey: person, device or session; default: person' },
      ),
    ),
  ),
  depth: Type.Optional(
    Type.Integer({ minimum: 2, maximum: queryLimits.journeyDepthMax, description: 'places in a journey; default: 5' }),
  ),
  start: Type.Optional(
    Type.String({
      maxLength: limits.urlCharsMax,
      description: 'only journeys from this place on: a page as `pages/views` shows it, or its URL',
    }),
  ),
  end: Type.Optional(
    Type.String({ maxLength: limits.urlCharsMax, description: 'only journeys up to this place; format like `start`' }),
  ),
  key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: queryLimits.keyCharsMax,
      description: 'event key that defines a place; default: the page that was entered',
    }),
  ),
  filters,
  groups: Type.Optional(
    Type.String({
      maxLength: FILTERS_CHARS_MAX,
      description:
        'patterns of pages that are one place each, as JSON: ["/products/*"]; `start` and `end` can name one',
    }),
  ),
})
export type JourneysParameters = Static<typeof JourneysParameters>

const CURSOR_CHARS_MAX = 8_000
export const SOURCES_DEFAULT = 1_000

export const SourcesParameters = Type.Object({
  ...range,
  ...countBy,
  by: Type.Enum([...sourceKeys], { description: 'what of the source of a session' }),
  filters,
  search: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'only values that contain this, in any case' }),
  ),
  order: Type.Optional(
    Type.Enum([...sourceOrders.flatMap((order) => [order, `-${order}` as const])], {
      description: 'column; a leading - means descending. Default: -users',
    }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: limits.answerRowsMax, description: `rows; default: ${SOURCES_DEFAULT}` }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: CURSOR_CHARS_MAX, description: '`next` of the page before, for the same question' }),
  ),
})
export type SourcesParameters = Static<typeof SourcesParameters>
export const SourcesAnswer = Type.Object({
  ...SourcesResult.properties,
  next: Type.Optional(Type.String({ description: '`cursor` of the next page; absent on the last one' })),
  meta: Meta,
})
export type SourcesAnswer = Static<typeof SourcesAnswer>

export const LossParameters = Type.Object({
  ...range,
  by: Type.Optional(Type.Enum([...lossKeys], { description: 'day, browser or country; default: day' })),
  filters,
})
export type LossParameters = Static<typeof LossParameters>
export const LossAnswer = Type.Object({ ...LossResult.properties, meta: Meta })
export type LossAnswer = Static<typeof LossAnswer>

export const EventAnswer = Type.Object({ ...EventResult.properties, meta: Meta })
export type EventAnswer = Static<typeof EventAnswer>
export const RetentionAnswer = Type.Object({ ...RetentionResult.properties, meta: Meta })
export type RetentionAnswer = Static<typeof RetentionAnswer>
export const JourneysAnswer = Type.Object({ ...JourneyResult.properties, meta: Meta })
export type JourneysAnswer = Static<typeof JourneysAnswer>
