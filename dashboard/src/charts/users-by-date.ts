import type { StageUsers } from '@hopper/contracts'

export interface DateOfStages {
  readonly date: string
  /** in the order of `stages` */
  readonly users: readonly number[]
}

/** Pivots one row per date and stage into one row per date. */
export function usersByDate(rows: StageUsers['rows']): {
  stages: { stage: number; name: string }[]
  dates: DateOfStages[]
} {
  const names = new Map<number, string>()
  const found = new Map<string, Map<number, number>>()
  for (const { date, stage, name, users } of rows) {
    names.set(stage, name)
    const onDate = found.get(date) ?? new Map<number, number>()
    found.set(date, onDate.set(stage, users))
  }
  const stages = [...names].map(([stage, name]) => ({ stage, name }))
  const dates = [...found].map(([date, users]) => ({ date, users: stages.map(({ stage }) => users.get(stage) ?? 0) }))
  return { stages, dates: dates.sort((a, b) => (a.date < b.date ? -1 : 1)) }
}
