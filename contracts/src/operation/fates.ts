import { Type, type Static } from 'typebox'

/** Number of dates of receipt whose fates are listed. */
export const FATE_DAYS = 30

/** `GET /api/v1/apps/:app/fates`: what became of the events of an app, by the date on which they were received. */
export const AppFates = Type.Object({
  from: Type.String({ description: 'the first date, in UTC' }),
  to: Type.String({ description: 'the last date, in UTC' }),
  rows: Type.Array(
    Type.Object({
      date: Type.String({ description: 'of receipt, in UTC' }),
      fate: Type.String(),
      reason: Type.String(),
      events: Type.Integer({ minimum: 0 }),
    }),
    { description: 'by date, fate and reason' },
  ),
})
export type AppFates = Static<typeof AppFates>
