import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Filter, Value } from '@hopper/contracts'
import { AtomSet } from './compile-filters.ts'
import { compareNumbers } from './exact-numbers.ts'

/** A decimal of any sign, as a fraction of big integers. */
function fractionOf(value: string | number): [bigint, bigint] {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(
    String(value),
  )!
  const scale = Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  return scale < 0 ? [digits, 10n ** BigInt(-scale)] : [digits * 10n ** BigInt(scale), 1n]
}

function naiveOrder(a: string | number, b: string | number): number {
  const [[x, over], [y, under]] = [fractionOf(a), fractionOf(b)]
  const [left, right] = [x * under, y * over]
  return left < right ? -1 : left > right ? 1 : 0
}

const integer = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
/** Integers that differ by less than a double can tell, as texts and as numbers. */
const near = fc
  .tuple(fc.constantFrom(2n ** 53n, 10n ** 18n, 2n ** 63n), fc.bigInt({ min: -3n, max: 3n }))
  .map(([base, more]) => base + more)
const numeric: fc.Arbitrary<string | number> = fc.oneof(
  near.map(String),
  near.map(Number),
  integer.map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.tuple(integer, fc.nat(999), fc.integer({ min: -40, max: 40 })).map(([a, b, c]) => `${a}.${b}e${c}`),
  fc.constantFrom('0', '-0', '0.0', '00012.50', '.5', '5.', '1e400', '-1e400', '1e-400', '1E+2', '100', 0, -0),
)

it('compares as exact decimals do', () => {
  fc.assert(
    fc.property(numeric, numeric, (a, b) => {
      expect([a, b, Math.sign(compareNumbers(a, b))]).toEqual([a, b, naiveOrder(a, b)])
    }),
    { numRuns: 2_000 },
  )
})

it('filters distinguish numbers that are equal as doubles', () => {
  const holds = (filter: Filter, value: Value): boolean => {
    const set = new AtomSet()
    set.compile([filter])
    return set.atoms[0]!.test(value)
  }
  fc.assert(
    fc.property(numeric, numeric, (wanted, value) => {
      const order = naiveOrder(value, wanted)
      // two texts are equal if they are identical
      const equal = typeof wanted === 'string' && typeof value === 'string' ? wanted === value : order === 0
      const key = 'k'
      expect({
        eq: holds({ type: 'eq', key, value: wanted }, value),
        ne: holds({ type: 'ne', key, value: wanted }, value),
        in: holds({ type: 'in', key, values: ['x', wanted] }, value),
        gt: holds({ type: 'gt', key, value: wanted }, value),
        lt: holds({ type: 'lt', key, value: wanted }, value),
      }).toEqual({ eq: equal, ne: !equal, in: equal, gt: order > 0, lt: order < 0 })
    }),
    { numRuns: 2_000 },
  )
  expect(holds({ type: 'eq', key: 'k', value: '9007199254740993' }, 9007199254740992)).toBe(false)
  expect(holds({ type: 'gt', key: 'k', value: 9007199254740992 }, '9007199254740993')).toBe(true)
})

it('takes time that grows with the text alone', () => {
  const start = performance.now()
  expect(compareNumbers(`1e${'9'.repeat(1_000)}`, '1e309')).toBe(1)
  expect(compareNumbers('9'.repeat(1_000_000), `${'9'.repeat(999_999)}8`)).toBe(1)
  expect(performance.now() - start).toBeLessThan(2_000)
})
