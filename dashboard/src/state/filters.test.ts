import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chipText, filtersOf, readChip, withChip, withoutChip, type Chip } from './filters.ts'

const mobile: Chip = { key: 'device', value: 'mobile' }

describe('filter chips', () => {
  it('are written as key:value, with ! in front of an exclusion', () => {
    expect(chipText(mobile)).toBe('device:mobile')
    expect(chipText({ ...mobile, not: true })).toBe('!device:mobile')
    expect(readChip('to:https://shop.example/')).toEqual({ key: 'to', value: 'https://shop.example/' })
  })

  it('round-trip through the address, whatever key and value are', () => {
    const chip = fc.record(
      { key: fc.string({ minLength: 1 }), value: fc.string({ minLength: 1 }), not: fc.constant(true as const) },
      { requiredKeys: ['key', 'value'] },
    )
    fc.assert(
      fc.property(chip, (generated) => {
        expect(readChip(chipText(generated))).toEqual(generated)
      }),
    )
  })

  it('cannot be read without a key or a value', () => {
    expect(['', 'device', ':mobile', 'device:', '!'].map(readChip)).toEqual(Array(5).fill(undefined))
  })

  it('replace the chip of the same key and value, and their order does not change the question', () => {
    expect(withChip([mobile], { ...mobile, not: true })).toEqual([{ ...mobile, not: true }])
    expect(withoutChip([mobile], { ...mobile, not: true })).toEqual([])
    const other = { key: 'os', value: 'iOS' }
    expect(filtersOf([mobile, other])).toEqual(filtersOf([other, mobile]))
    expect(filtersOf([{ ...mobile, not: true }])).toEqual([{ type: 'ne', key: 'device', value: 'mobile' }])
  })
})
