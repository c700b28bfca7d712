import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stageArcs, type Move } from './stage-arcs.ts'

const stages = [1, 2, 3].map((stage) => ({ stage, name: `S${stage}`, users: 10 * stage }))
const moves: Move[] = [
  { from: null, to: 1, users: 30 },
  { from: 1, to: 2, users: 20 },
  { from: 1, to: 3, users: 5 },
  { from: 3, to: 1, users: 2 },
  { from: 2, to: 2, users: 9 },
  { from: 7, to: 1, users: 1 },
]

describe('stageArcs', () => {
  it('has an arc for every move between two stages of the funnel, and no other', () => {
    const { arcs } = stageArcs(stages, moves, 900)
    expect(arcs.map(({ from, to, users, back }) => [from, to, users, back])).toEqual([
      ['Entry', 'S1', 30, false],
      ['S1', 'S2', 20, false],
      ['S1', 'S3', 5, false],
      ['S3', 'S1', 2, true],
    ])
  })

  it('draws wider arcs for more users', () => {
    const widths = stageArcs(stages, moves, 900).arcs.map(({ width }) => width)
    expect([...widths].sort((a, b) => b - a)).toEqual(widths)
  })

  it('stays inside the picture at every width', () => {
    fc.assert(
      fc.property(fc.integer({ min: 280, max: 2000 }), (width) => {
        const { nodes, arcs, height, vertical } = stageArcs(stages, moves, width)
        expect(vertical).toBe(width < 620)
        for (const { x, y, radius } of nodes)
          expect(x - radius >= 0 && x + radius <= width && y - radius >= 0 && y + radius <= height).toBe(true)
        for (const { labelX, labelY } of arcs)
          expect(labelX >= 0 && labelX <= width && labelY >= 0 && labelY <= height).toBe(true)
      }),
    )
  })
})
