import type { VisitorFold } from './fold.ts'

/** Who was there, per hour. */
export const usersByDate: VisitorFold = {
  table: 'users_by_date',
  fold: ({ hour }, put) => put([hour]),
  repeats: (before, { visitor, hour }) => before.visitor === visitor && before.hour === hour,
}
