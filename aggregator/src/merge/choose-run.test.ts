import fc from 'fast-check'
import { expect, it } from 'vitest'
import { selectMerge, FAN_IN, FAN_IN_PAST, MERGE_BYTES_MAX, tierOf } from './select-merge.ts'

interface Sized {
  readonly rows: number
  readonly bytes: number
  /** number of rewrites, summed over its rows */
  readonly rewritten: number
}

const BYTES_PER_ROW = 20
const sized = (rows: number): Sized => ({ rows, bytes: rows * BYTES_PER_ROW, rewritten: 0 })

/** Merges until nothing is left to merge. */
function settle(spans: Sized[], fanIn: number): Sized[] {
  for (let run = selectMerge(spans, fanIn); run; run = selectMerge(spans, fanIn)) {
    const rows = run.reduce((sum, span) => sum + span.rows, 0)
    const bytes = run.reduce((sum, span) => sum + span.bytes, 0)
    if (run.length < 2 || bytes > MERGE_BYTES_MAX) throw new Error(`a merge of ${run.length} spans, ${bytes} bytes`)
    const rewritten = run.reduce((sum, span) => sum + span.rewritten, rows)
    spans.splice(spans.indexOf(run[0]!), run.length, { rows, bytes, rewritten })
  }
  return spans
}

it('keeps few spans, rewrites each event few times and loses none, for spans of any sizes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5_000 }), fc.constant(20_000)), {
        minLength: 1,
        maxLength: 400,
      }),
      (sizes) => {
        const spans: Sized[] = []
        for (const rows of sizes) {
          spans.push(sized(rows))
          settle(spans, FAN_IN)
          for (const tier of [0, 1, 2, 3])
            expect(spans.filter((span) => tierOf(span) === tier).length).toBeLessThan(
              FAN_IN * (1 + spans.filter((span) => tierOf(span) > tier).length),
            )
        }
        const total = sizes.reduce((sum, rows) => sum + rows, 0)
        expect(spans.reduce((sum, { rows }) => sum + rows, 0)).toBe(total)
        // Below 512 rows a span may grow by seven at a time; above, an event is rewritten when its span becomes eight
        // times as large.
        const small = Math.min(total, 512) / FAN_IN
        expect(spans.reduce((sum, { rewritten }) => sum + rewritten, 0) / total).toBeLessThanOrEqual(small + 6)
        settle(spans, FAN_IN_PAST)
        expect(spans.map(tierOf).filter((tier, index, all) => tier === all[index + 1] && tier < 4)).toEqual([])
      },
    ),
    { numRuns: 60 },
  )
})

it('leaves large spans alone, and merges the smallest first', () => {
  const spans = [
    sized(300_000),
    ...Array.from({ length: 8 }, () => sized(1_000)),
    sized(300_000),
    ...Array.from({ length: 8 }, () => sized(10)),
  ]
  expect(selectMerge(spans, FAN_IN)).toEqual(spans.slice(10))
  expect(selectMerge(spans.slice(0, 10), FAN_IN)).toEqual(spans.slice(1, 9))
  expect(selectMerge([sized(300_000), sized(300_000)], FAN_IN_PAST)).toBeUndefined()
  expect(selectMerge(spans.slice(0, 8), FAN_IN)).toBeUndefined()
})
