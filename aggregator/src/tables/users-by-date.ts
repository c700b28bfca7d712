import type { VisitorFold } from './fold.ts'

/** The `hour` of the row that each visitor has for the date as a whole, so that one query counts them. */
export const WHOLE_DATE = -1

/** Who was there, on the date and per hour. */
export const usersByDate: VisitorFold = {
  table: 'users_by_date',
  fold: ({ hour }, put) => {
    put([WHOLE_DATE])
    put([hour])
  },
  repeats: (before, { visitor, hour }) => before.visitor === visitor && before.hour === hour,
}
