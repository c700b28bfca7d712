import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeOffsets, offsetsOf, timesOf } from './time-offsets.ts'
import { decodeNumbers, decodeRun, encodeNumbers, numberEncodings } from './number-encoding.ts'

it('every encoding preserves whole numbers of any size', () => {
  const number = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 5_000_000_000 }), fc.maxSafeNat())
  fc.assert(
    fc.property(fc.array(fc.array(number, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 }), (runs) => {
      const sorted = runs.map((run) => [...run].sort((a, b) => a - b))
      const times = Float64Array.from(sorted.flat())
      const counts = Uint32Array.from(runs, (run) => run.length)
      const starts = Uint32Array.from([0, ...counts.map((_, i) => counts.slice(0, i + 1).reduce((a, b) => a + b))])
      const base = times.reduce((a, b) => Math.min(a, b))
      const timestamp = {
        encoding: 'run-delta' as const,
        planes: encodeNumbers('timestamp', times, base, counts, times),
        base,
      }
      expect(decodeNumbers(timestamp, starts, () => times)).toEqual(times)
      const span = times.reduce((a, b) => Math.max(a, b)) - base
      for (const offsets of [decodeOffsets(timestamp, starts, span), offsetsOf(times, base, span)]) {
        expect(offsets.offsets).toBeInstanceOf(span < 2 ** 32 ? Uint32Array : Float64Array)
        expect(timesOf(offsets)).toEqual(times)
      }
      const others = Float64Array.from(runs.flat(), (value) => value % 2 ** 50)
      for (const column of ['seq', 'index'] as const) {
        const encoded = {
          encoding: numberEncodings[column],
          planes: encodeNumbers(column, others, 0, counts, times),
          base: 0,
        }
        runs.forEach((run, r) => {
          const out = new Float64Array(run.length)
          decodeRun(encoded, starts[r]!, starts[r + 1]!, () => times, out)
          expect(out).toEqual(others.slice(starts[r], starts[r + 1]))
        })
        expect(
          decodeNumbers(
            { encoding: numberEncodings[column], planes: encodeNumbers(column, others, 0, counts, times), base: 0 },
            starts,
            () => times,
          ),
        ).toEqual(others)
      }
      const small = times.map((value) => value % 2 ** 50)
      const received = small.map((value, i) => Math.max(0, value + (i % 2 === 0 ? -5 : 900)))
      expect(
        decodeNumbers(
          {
            encoding: 'zigzag-from-timestamp',
            planes: encodeNumbers('received_at', received, 0, counts, small),
            base: 0,
          },
          starts,
          () => small,
        ),
      ).toEqual(received)
    }),
  )
})
