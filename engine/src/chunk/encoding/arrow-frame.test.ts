import fc from 'fast-check'
import { expect, it } from 'vitest'
import { packFrame, textAt, textData, unpackFrame } from './arrow-frame.ts'

it('preserves every text, including one that begins with a byte order mark', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary' }).map((rest) => `\ufeff${rest}`),
  )
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (texts) => {
      const data = unpackFrame(packFrame(new Map([['t', textData(texts)]]))).frame.get('t')!
      expect(texts.map((_, index) => textAt(data, index))).toEqual(texts)
    }),
  )
})
