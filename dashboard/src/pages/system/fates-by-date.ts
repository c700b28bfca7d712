import type { AppFates, Status } from '@hopper/contracts'
import { shiftDate } from '../../state/date-range.ts'

export type Fate = Status['fates'][number]

const counted = new Set(['accepted', 'late'])

export function isCounted({ fate }: Pick<Fate, 'fate'>): boolean {
  return counted.has(fate)
}

/** Returns the number of events of all these fates. */
export function sumOf(fates: readonly Fate[]): number {
  return fates.reduce((sum, { events }) => sum + events, 0)
}

/** Adds up the fates of an app over its dates. */
export function totalsOf({ rows }: AppFates): Fate[] {
  const totals = new Map<string, Fate>()
  for (const { fate, reason, events } of rows) {
    const key = `${fate} ${reason}`
    totals.set(key, { fate, reason, events: events + (totals.get(key)?.events ?? 0) })
  }
  return [...totals.values()]
}

/** Returns the numbers of counted and of other events of each date, those without any included. */
export function courseOf({ from, to, rows }: AppFates): { dates: string[]; counted: number[]; others: number[] } {
  const byDate = Map.groupBy(rows, ({ date }) => date)
  const dates: string[] = []
  for (let date = from; date <= to; date = shiftDate(date, 1)) dates.push(date)
  const numbers = (wanted: boolean): number[] =>
    dates.map((date) => sumOf((byDate.get(date) ?? []).filter((fate) => isCounted(fate) === wanted)))
  return { dates, counted: numbers(true), others: numbers(false) }
}
