import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { presets, shiftDate } from './date-range.ts'
import { addressOf, pages, readView, type View } from './view.ts'

const name = fc.string({ minLength: 1, maxLength: 30 })
const range = fc.oneof(
  fc.constantFrom(...presets).map((preset) => ({ preset })),
  fc
    .tuple(fc.nat(9_000), fc.nat(1_000))
    .map(([day, length]) => ({ from: shiftDate('2010-01-01', day), to: shiftDate('2010-01-01', day + length) })),
)
const anyView: fc.Arbitrary<View> = fc.record(
  {
    page: fc.constantFrom(...pages),
    range,
    countBy: fc.constantFrom('person' as const, 'device' as const),
    app: name,
    funnel: name,
  },
  { requiredKeys: ['page', 'range', 'countBy'] },
)

describe('the URL of a view', () => {
  it('round-trips', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const { pathname, search } = new URL(addressOf(view), 'http://127.0.0.1')
        expect(readView({ pathname, search })).toEqual(view)
      }),
    )
  })

  it('omits defaults', () => {
    expect(addressOf({ page: 'overview', range: { preset: '7d' }, countBy: 'person' })).toBe('/')
    expect(addressOf({ page: 'funnel', app: 'shop', range: { preset: '12m' }, countBy: 'person', funnel: '' })).toBe(
      '/funnel?app=shop&range=12m',
    )
  })

  it('falls back to defaults for invalid values', () => {
    const view = { page: 'overview', range: { preset: '7d' }, countBy: 'person' }
    expect(readView({ pathname: '/nowhere', search: '?range=2026-02-30..2026-03-01&count_by=cats' })).toEqual(view)
    expect(readView({ pathname: '/', search: '?range=2026-03-02..2026-03-01&app=' })).toEqual(view)
  })
})
