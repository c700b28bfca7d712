import { Type, type Static } from 'typebox'
import { App } from '../app.ts'
import { limits } from '../limits.ts'
import { shownText } from '../texts/shown-name.ts'

const date = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  description: 'a date of the app, like 2026-01-31',
})
const funnel = Type.Optional(App.properties.id)
const instant = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const noted = {
  from: date,
  to: Type.Optional(date),
  text: Type.String({ minLength: 1, maxLength: limits.annotationCharsMax }),
}

const sentText = shownText(limits.annotationCharsMax)

/**
 * The body that notes on trends what happened on a date, or from one date to another, about a funnel or the whole app.
 */
export const NewAnnotation = Type.Object({
  ...noted,
  text: sentText,
  funnel,
})
export type NewAnnotation = Static<typeof NewAnnotation>

export const AnnotationPatch = Type.Object({
  from: Type.Optional(date),
  to: Type.Optional(Type.Union([date, Type.Null()], { description: 'null: one date only' })),
  text: Type.Optional(sentText),
  funnel: Type.Optional(Type.Union([App.properties.id, Type.Null()], { description: 'null: the whole app' })),
})
export type AnnotationPatch = Static<typeof AnnotationPatch>

/** An annotation as stored. */
export const Annotation = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  app: App.properties.id,
  ...noted,
  funnel,
  /** the name of the member, or `an admin key` */
  created_by: Type.String({ maxLength: limits.nameCharsMax }),
  created_at: instant,
  changed_by: Type.Optional(Type.String({ maxLength: limits.nameCharsMax })),
  changed_at: Type.Optional(instant),
})
export type Annotation = Static<typeof Annotation>

/** An annotation as callers see it. Readers of a shared link do not see who made it. */
export const AnnotationView = Type.Object({
  id: Type.String(),
  ...noted,
  funnel,
  created_by: Type.Optional(Type.String({ description: 'the member, or `an admin key`' })),
  created_at: Type.Optional(instant),
  changed_by: Type.Optional(Type.String()),
  changed_at: Type.Optional(instant),
})
export type AnnotationView = Static<typeof AnnotationView>

export const Annotations = Type.Object({
  annotations: Type.Array(AnnotationView, { description: 'those that touch the range, by date' }),
})
export type Annotations = Static<typeof Annotations>
