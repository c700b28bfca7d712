import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sessionKey, sessionKeys } from './session-key.ts'

const id = fc.oneof(fc.uuid(), fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', 's', 's\0', 'ss', 'S'))
const position = fc.bigInt({ min: 0n, max: 2n ** 53n })

it('orders exactly the keys of a session between its lowest and highest key, by position', () => {
  fc.assert(
    fc.property(id, id, position, position, (one, other, at, later) => {
      const [first, last] = sessionKeys(one)
      expect(first.compare(sessionKey(one, at))).toBeLessThanOrEqual(0)
      expect(last.compare(sessionKey(one, at))).toBeGreaterThanOrEqual(0)
      expect(Math.sign(sessionKey(one, at).compare(sessionKey(one, later)))).toBe(at < later ? -1 : at > later ? 1 : 0)
      const foreign = sessionKey(other, at)
      if (one !== other) expect(first.compare(foreign) > 0 || last.compare(foreign) < 0).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})
