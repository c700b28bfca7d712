import { describe, expect, it } from 'vitest'
import { readTypedDate } from './typed-date.ts'

describe('a typed date', () => {
  it('is read in the forms that have one meaning', () => {
    for (const text of ['2026-01-31', ' 2026-1-31 ', '2026/01/31', '31.1.2026', '31 Jan 2026', '31 january 2026'])
      expect(readTypedDate(text)).toBe('2026-01-31')
  })

  it('is none if the date does not exist or could be two', () => {
    for (const text of ['', '2026-02-30', '01/02/2026', 'yesterday', '2026-01', '31 Foo 2026', '2026-13-01'])
      expect(readTypedDate(text)).toBeUndefined()
  })
})
