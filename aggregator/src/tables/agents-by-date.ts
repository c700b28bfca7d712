import type { VisitorFold } from './fold.ts'

/** Visitors by device, browser, operating system and country. */
export const agentsByDate: VisitorFold = {
  table: 'agents_by_date',
  fold: ({ context }, put) => {
    for (const kind of ['device', 'browser', 'os', 'country'] as const) {
      const value = context[kind]
      if (value) put([kind, value])
    }
  },
  repeats: (before, { visitor, context }) => before.visitor === visitor && before.context === context,
}
