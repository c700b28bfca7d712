import { describe, expect, it } from 'vitest'
import { correlationInWords } from './correlation.ts'

describe('a correlation in words', () => {
  it('says the direction and the strength', () => {
    expect(correlationInWords(0.6)).toContain('the more they click: the two go together strongly (correlation 0.60)')
    expect(correlationInWords(-0.2)).toContain('the less they click: the two go together somewhat (correlation −0.20)')
  })

  it('says when it says nothing', () => {
    expect(correlationInWords(0.05)).toContain('next to nothing')
    expect(correlationInWords(null)).toContain('not enough')
  })
})
