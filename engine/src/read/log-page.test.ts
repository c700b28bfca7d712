import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { limits, type ChunkSummary } from '@hopper/contracts'
import { world } from '../contract/random-world.ts'
import { clustersOf, endOfPlaces, rowsInOrder } from './log-page.ts'

it('pages of any size return every event of a lane once, in log order', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(world, fc.integer({ min: 1, max: 7 }), fc.nat({ max: 9 }), (generated, limit, skip) => {
      for (const chunks of generated.chunks) {
        const rows = generated.rows.filter(({ lane }) => lane === chunks[0]?.summary.lane)
        const expected = rows
          .map(({ position, index }) => position * limits.eventsPerBatchMax + index)
          .sort((a, b) => a - b)
        const found: number[] = []
        for (let from = 0, page; (page = rowsInOrder(chunks, from, 0, limit)).length > 0; from = page.at(-1)!.place + 1)
          found.push(...page.map(({ place }) => place))
        expect(found).toEqual(expected)
        expect(rowsInOrder(chunks, 0, skip, limit).map(({ place }) => place)).toEqual(
          expected.slice(skip, skip + limit),
        )
      }
    }),
    { numRuns: 60 },
  )
})

it('chunks with overlapping positions form a cluster, in any order', () => {
  const chunk = (first_position: number, last_position: number, part = 0): ChunkSummary =>
    ({ first_position, last_position, part }) as ChunkSummary
  const clusters = clustersOf([chunk(20, 25), chunk(0, 9, 1), chunk(8, 12), chunk(0, 9), chunk(13, 13)])
  expect(
    clusters.map((cluster) => cluster.map(({ first_position, last_position }) => [first_position, last_position])),
  ).toEqual([
    [
      [0, 9],
      [0, 9],
      [8, 12],
    ],
    [[13, 13]],
    [[20, 25]],
  ])
  expect(endOfPlaces(clusters[0]!)).toBe(13_000)
})
