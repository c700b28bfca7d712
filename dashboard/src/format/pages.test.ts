import { describe, expect, it } from 'vitest'
import { pageNames } from './pages.ts'

describe('page names', () => {
  it('omit a host that all share', () => {
    expect(
      ['shop.example/a/b', 'shop.example', 'shop.example/'].map(
        pageNames(['shop.example/a/b', 'shop.example', 'shop.example/']),
      ),
    ).toEqual(['/a/b', '/', '/'])
  })

  it('keep the host if there are several, and bare paths as they are', () => {
    expect(['a.example/x', 'b.example/x'].map(pageNames(['a.example/x', 'b.example/x']))).toEqual([
      'a.example/x',
      'b.example/x',
    ])
    expect(['/x', '/y'].map(pageNames(['/x', '/y']))).toEqual(['/x', '/y'])
  })
})
