import { describe, expect, it } from 'vitest'
import { idOf, suggestions } from './suggestions.ts'

describe('the suggestions of the editor', () => {
  it('are pages, groups of pages and elements, the most used first', () => {
    const found = suggestions({
      pages: [
        { url: 'shop.example', views: 50 },
        { url: 'shop.example/p/a', views: 3 },
        { url: 'shop.example/p/b', views: 2 },
        { url: 'other.example/p/b', views: 1 },
        { url: 'shop.example/p/c', views: 1 },
      ],
      clicks: [
        { target: "//*[@id='add']", hits: 30 },
        { target: "//*[@id='add']", hits: 3 },
        { target: "//*[@data-hopper='buy now']", hits: 4 },
        { target: '/html[1]/body[1]/a[2]', hits: 9 },
      ],
      elements: [{ name: 'Add to cart', xpath: "//*[@id='add']" }],
    })
    expect(found).toEqual([
      { name: '/', url: '/', count: 50 },
      { name: 'Add to cart', click: '#add', count: 33 },
      { name: '/p/*', url: '/p/*', count: 7 },
      { name: '[data-hopper="buy now"]', click: '[data-hopper="buy now"]', count: 4 },
      { name: '/p/a', url: '/p/a', count: 3 },
      { name: '/p/b', url: '/p/b', count: 3 },
      { name: '/p/c', url: '/p/c', count: 1 },
    ])
  })

  it('make an id from a name, different from all other ids', () => {
    expect(idOf('Product to purchase', [])).toBe('product-to-purchase')
    expect(idOf('Käufe!', ['kaufe', 'kaufe-2'])).toBe('kaufe-3')
    expect(idOf('購入', [])).toBe('funnel')
    expect(idOf('x'.repeat(160), [])).toHaveLength(56)
  })
})
