import { describe, expect, it } from 'vitest'
import { correlationInWords } from './correlation.ts'

describe('correlationInWords', () => {
  it('describes direction and strength', () => {
    expect(correlationInWords(0.6)).toContain('the more they click: a strong relation (correlation 0.60)')
    expect(correlationInWords(-0.2)).toContain('the less they click: a weak relation (correlation −0.20)')
  })

  it('reports a negligible correlation', () => {
    expect(correlationInWords(0.05)).toContain('says almost nothing')
    expect(correlationInWords(null)).toContain('not enough')
  })
})
