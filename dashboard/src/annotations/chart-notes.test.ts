import { expect, it } from 'vitest'
import { chartNotes } from './chart-notes.ts'

const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04']
const note = (from: string, to?: string): { id: string; text: string; from: string; to?: string } => ({
  id: 'a',
  text: 'A',
  from,
  ...(to === undefined ? {} : { to }),
})
const places = (dates: readonly string[], ...notes: ReturnType<typeof note>[]): number[][] =>
  chartNotes(dates, notes).map(({ from, to }) => [from, to])

it('marks the day of an annotation, or its days within the chart', () => {
  expect(places(days, note('2026-01-02'), note('2026-01-02', '2026-01-03'))).toEqual([
    [1, 1],
    [1, 2],
  ])
  expect(places(days, note('2025-12-20', '2026-01-02'), note('2026-01-04', '2026-02-01'))).toEqual([
    [0, 1],
    [3, 3],
  ])
})

it('marks the week that a date is in, and the first hour of a date', () => {
  const weeks = ['2026-01-05', '2026-01-12', '2026-01-19']
  expect(places(weeks, note('2026-01-14'), note('2026-01-06', '2026-01-30'))).toEqual([
    [1, 1],
    [0, 2],
  ])
  const hours = ['2026-01-01', '2026-01-01', '2026-01-02', '2026-01-02']
  expect(places(hours, note('2026-01-02'), note('2026-01-01', '2026-01-02'))).toEqual([
    [2, 2],
    [0, 3],
  ])
})

it('numbers them in order, and marks nothing on an empty chart', () => {
  expect(chartNotes(days, [note('2026-01-01'), note('2026-01-02')]).map(({ number }) => number)).toEqual([1, 2])
  expect(chartNotes([], [note('2026-01-01')])).toEqual([])
})
