import { describe, expect, it } from 'vitest'
import { journeysPath } from './journey-question.ts'
import { groupOf, pageGroups } from './journey-places.ts'

const page = (url: string) => ({ url, views: 1, average_seconds: null })
const funnels = [
  {
    stages: [
      { id: 1, name: 'Home', url: '/shop*/' },
      { id: 2, name: 'Product', url: '/shop*/products/*' },
      { id: 3, name: 'Cart', url: '/shop*/cart', click: '#add' },
      { id: 4, name: 'Everything', url: '/*' },
      { id: 5, name: 'Elsewhere', url: 'https://pay.example/*' },
      { id: 6, name: 'Paid', url: '/thanks?paid=1' },
    ],
  },
  { stages: [{ id: 1, name: 'Basket', url: '/shop*/cart' }] },
]

describe('the places of journeys', () => {
  it('are the stages, the narrowest first, and folders with many pages', () => {
    const posts = Array.from({ length: 12 }, (_, n) => page(`shop.example/blog/${n}`))
    expect(pageGroups(funnels, [...posts, page('shop.example/about/us')])).toEqual([
      { pattern: '/shop*/products/*', name: 'Product' },
      { pattern: '/shop*/cart', name: 'Cart' },
      { pattern: '/shop*/', name: 'Home' },
      { pattern: '/blog/*', name: '/blog/*' },
    ])
  })

  it('take pages as the API does', () => {
    const groups = pageGroups(funnels, [])
    const nameOf = (url: string): string | undefined => groupOf(groups, url)?.name
    expect(nameOf('shop.example/shop/products/1')).toBe('Product')
    expect(nameOf('shop.example/shop/cart')).toBe('Cart')
    expect(nameOf('shop.example/shop')).toBe('Home')
    expect(nameOf('shop.example/about')).toBeUndefined()
  })

  it('are asked for with the scope of the page', () => {
    const scope = {
      app: { id: 'shop' },
      range: { from: '2026-01-01', to: '2026-01-31' },
      filters: [{ type: 'eq' as const, key: 'device', value: 'mobile' }],
      unit: 'session' as const,
    }
    const parametersOf = (path: string): object => Object.fromEntries(new URL(path, 'http://localhost').searchParams)
    const groups = [{ pattern: '/products/*', name: 'Product' }]
    const query = {
      from: '2026-01-01',
      to: '2026-01-31',
      filters: '[{"type":"eq","key":"device","value":"mobile"}]',
      count_by: 'session',
    }
    expect(parametersOf(journeysPath(scope, { start: '/a', end: '/b' }, groups))).toEqual({
      ...query,
      depth: '5',
      start: '/a',
      groups: '["/products/*"]',
    })
    expect(parametersOf(journeysPath(scope, { end: 'bought', depth: 3, places: 'events' }, groups))).toEqual({
      ...query,
      depth: '3',
      end: 'bought',
      key: 'name',
    })
  })
})
