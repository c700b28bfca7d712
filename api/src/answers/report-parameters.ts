import { Type, type Static } from 'typebox'
import {
  EventResult,
  funnelUnits,
  JourneyResult,
  limits,
  Meta,
  queryLimits,
  RetentionResult,
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
const xpath = Type.String({ minLength: 1, maxLength: limits.xpathCharsMax, description: 'the element' })

export const RangeParameters = Type.Object(range)
export type RangeParameters = Static<typeof RangeParameters>
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
})
export type JourneysParameters = Static<typeof JourneysParameters>

export const EventAnswer = Type.Object({ ...EventResult.properties, meta: Meta })
export type EventAnswer = Static<typeof EventAnswer>
export const RetentionAnswer = Type.Object({ ...RetentionResult.properties, meta: Meta })
export type RetentionAnswer = Static<typeof RetentionAnswer>
export const JourneysAnswer = Type.Object({ ...JourneyResult.properties, meta: Meta })
export type JourneysAnswer = Static<typeof JourneysAnswer>
