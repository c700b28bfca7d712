import type { VisitorFold } from './fold.ts'

/** `hour` of the row that each visitor has for the whole date, so that one query counts them. */
export const WHOLE_DATE = -1

/** Visitors on the date and per hour. */
export const usersByDate: VisitorFold = {
  table: 'users_by_date',
  fold: ({ hour }, put) => {
    put([WHOLE_DATE])
    put([hour])
  },
  repeats: (before, { visitor, hour }) => before.visitor === visitor && before.hour === hour,
}
