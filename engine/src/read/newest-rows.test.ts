import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { limits, type ArchivedEvent } from '@hopper/contracts'
import { world } from '../contract/random-world.ts'
import { comparePlaces, type EventPlace } from '../people/event-place.ts'
import { NewestPlan, NewestRows, type NewestRequest } from './newest-rows.ts'

const everywhere = { from: 0, to: Number.MAX_SAFE_INTEGER, filters: [], ends: new Array<number>(64).fill(Infinity) }

it('finds the newest events of all chunks in whatever order they are scanned, page by page', () => {
  fc.assert(
    fc.property(
      world,
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      fc.nat({ max: 40 }),
      (at, limit, reversed, end) => {
        const chunks = at.chunks.flat()
        if (reversed) chunks.reverse()
        const ends = everywhere.ends.map((_, lane) => (lane % 2 === 0 ? Infinity : end * limits.eventsPerBatchMax))
        const expected = at.rows
          .filter(({ lane, position, index }) => position * limits.eventsPerBatchMax + index < ends[lane]!)
          .map(placeOfRow)
          .sort((a, b) => comparePlaces(b, a))
        const found: EventPlace[] = []
        for (let before: EventPlace | undefined, isMore = true; isMore; before = found.at(-1)) {
          const request: NewestRequest = { ...everywhere, ends, limit, ...(before && { before }) }
          const newest = new NewestRows(new NewestPlan(request))
          for (const chunk of chunks) if (newest.mayHaveNewer(chunk.summary)) newest.scan(chunk)
          const page = newest.rows().map(({ place }) => place)
          found.push(...page)
          isMore = page.length === limit
        }
        expect(found).toEqual(expected)
      },
    ),
    { numRuns: 30 },
  )
}, 120_000)

it('leaves out events that no filter matches or that are not in the range, and skips chunks without any', () => {
  fc.assert(
    fc.property(world, (at) => {
      const types = ['custom', 'click'] as const
      const plan = new NewestPlan({
        ...everywhere,
        from: 1,
        filters: [{ type: 'in', key: 'type', values: [...types] }],
        limit: 1_000,
      })
      const newest = new NewestRows(plan)
      for (const chunk of at.chunks.flat()) if (plan.canMatch(chunk.summary)) newest.scan(chunk)
      const expected = at.rows
        .filter(({ event: { type, timestamp } }) => timestamp >= 1 && (types as readonly string[]).includes(type))
        .map(placeOfRow)
        .sort((a, b) => comparePlaces(b, a))
      expect(newest.rows().map(({ place }) => place)).toEqual(expected)
    }),
    { numRuns: 30 },
  )
}, 120_000)

function placeOfRow({ event, position, lane, index }: ArchivedEvent & { readonly lane: number }): EventPlace {
  return [event.timestamp, event.seq, position, lane, index]
}
