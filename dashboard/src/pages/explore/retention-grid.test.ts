import { expect, it } from 'vitest'
import { retentionGrid } from './retention-grid.ts'

it('the grid of who comes back has shares of each cohort, and says which periods have not ended', () => {
  const cohorts = [
    { time: 0, size: 10, again: [4, 2, 1] },
    { time: 7, size: 0, again: [0, 0] },
    { time: 14, size: 4, again: [1] },
  ]
  const { rows, columns } = retentionGrid(cohorts, 15)
  expect(columns).toBe(3)
  expect(rows.map(({ time, size }) => [time, size])).toEqual([
    [0, 10],
    [14, 4],
  ])
  expect(rows[0]!.cells).toEqual([
    { count: 4, share: 0.4, isOpen: false },
    { count: 2, share: 0.2, isOpen: false },
    { count: 1, share: 0.1, isOpen: true },
  ])
  expect(retentionGrid([], null)).toEqual({ rows: [], columns: 0 })
})
