import { describe, expect, it } from 'vitest'
import { usersByDate } from './users-by-date.ts'

describe('usersByDate', () => {
  it('has one row per date with a number for every stage', () => {
    const rows = [
      { date: '2026-01-02', stage: 1, name: 'A', users: 5 },
      { date: '2026-01-01', stage: 1, name: 'A', users: 3 },
      { date: '2026-01-01', stage: 2, name: 'B', users: 1 },
    ]
    expect(usersByDate(rows)).toEqual({
      stages: [
        { stage: 1, name: 'A' },
        { stage: 2, name: 'B' },
      ],
      dates: [
        { date: '2026-01-01', users: [3, 1] },
        { date: '2026-01-02', users: [5, 0] },
      ],
    })
  })
})
