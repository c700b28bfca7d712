import { describe, expect, it } from 'vitest'
import { pathOf, proposedStages } from './proposed-stages.ts'

const node = (id: string, step: number, value: string, users: number, kind?: 'other' | 'exit') => ({
  id,
  step,
  value,
  users,
  ...(kind ? { kind } : {}),
})

describe('the proposed funnel', () => {
  it('follows what most people do, page by page, and stops where they leave', () => {
    const nodes = [
      node('a', 0, 'shop.example', 90),
      node('b', 0, 'shop.example/blog', 10),
      node('c', 1, 'shop.example/our-products', 60),
      node('x', 1, '', 30, 'exit'),
      node('d', 2, 'shop.example', 20),
      node('e', 2, 'shop.example/cart', 15),
    ]
    const links = [
      { from: 'a', to: 'x', users: 70 },
      { from: 'a', to: 'c', users: 60 },
      { from: 'c', to: 'd', users: 20 },
      { from: 'c', to: 'e', users: 15 },
    ]
    expect(proposedStages({ nodes, links })).toEqual([
      { name: 'Home', url: '/' },
      { name: 'Our products', url: '/our-products' },
      { name: 'Cart', url: '/cart' },
    ])
  })

  it('needs two pages', () => {
    expect(proposedStages({ nodes: [], links: [] })).toEqual([])
    expect(proposedStages({ nodes: [node('a', 0, 'shop.example', 3)], links: [] })).toEqual([])
  })

  it('has the path of a page, with or without host', () => {
    expect(['shop.example', 'shop.example/a/b', '/a', 'https://shop.example/a'].map(pathOf)).toEqual([
      '/',
      '/a/b',
      '/a',
      '/a',
    ])
  })
})
