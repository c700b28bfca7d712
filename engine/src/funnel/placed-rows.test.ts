import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { NO_RUN, postingsOf } from '../chunk/postings.ts'
import { PlacedRows } from './placed-rows.ts'

it('the rows of few runs are the same, looked for or picked out of all', () => {
  let rare = 0
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 }), { minLength: 20, maxLength: 120, size: 'max' }), fc.array(fc.nat(), { maxLength: 6 }), (lengths, chosen) => {
      const starts = Uint32Array.from([0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0))])
      const codes = Uint8Array.from({ length: starts.at(-1)! }, (_, row) => (row * 7 + (row >>> 3)) % 3)
      const postings = postingsOf(codes, 3, starts)!
      const wanted = [...new Set(chosen.map((n) => n % lengths.length))].sort((a, b) => a - b)
      const levels = Uint8Array.from(lengths, (_, run) => Number(wanted.includes(run)))
      const reached = new PlacedRows()
      reached.clear(wanted.length * 2)
      // some runs with two rows
      const runs = wanted.flatMap((run) => (run % 2 === 0 ? [run] : [run, run]))
      reached.runs.set([NO_RUN, ...runs])
      reached.end = runs.length + 1
      const times = { base: 1_000, offsets: Uint32Array.from(codes.keys()) }
      for (const code of [0, 1, 2]) {
        const [searched, picked] = [new PlacedRows(), new PlacedRows()]
        searched.take(postings, code, levels, 1, times, reached)
        picked.take(postings, code, levels, 1, times)
        rare += Number(picked.end > 1 && reached.end * 16 < postings.starts[code + 1]! - postings.starts[code]!)
        for (const column of ['rows', 'runs', 'times'] as const) expect(searched[column].slice(0, searched.end)).toEqual(picked[column].slice(0, picked.end))
      }
    }),
  )
  expect(rare).toBeGreaterThan(20)
})
