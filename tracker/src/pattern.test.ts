import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matching } from './pattern.ts'

const page = (href: string): URL => new URL(href)
const accepts = (pattern: string, href: string): boolean => !!matching(page(href))({ url: pattern })

/** Naive matcher, where `*` is any run of characters. */
const naive = (pattern: string, text: string): boolean => {
  if (pattern === '') return text === ''
  if (pattern[0] === '*') return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)))
  return pattern[0] === text[0] && naive(pattern.slice(1), text.slice(1))
}

describe('a stage pattern', () => {
  it('is compared with the path alone, the whole of it', () => {
    expect(accepts('/products', 'https://shop.example/products?page=2#top')).toBe(true)
    expect(accepts('/products', 'https://shop.example/products/7')).toBe(false)
    expect(accepts('/products*', 'https://shop.example/products/7')).toBe(true)
    expect(accepts('/demo/*/products*', 'https://shop.example/demo/spa/products')).toBe(true)
  })

  it('is compared with the whole address when it begins with http', () => {
    expect(accepts('https://shop.example/*#/cart', 'https://shop.example/app?x=1#/cart')).toBe(true)
    expect(accepts('https://shop.example/cart', 'https://other.example/cart')).toBe(false)
  })

  it('has no other special character', () => {
    expect(accepts('/a.c', 'https://shop.example/abc')).toBe(false)
    expect(accepts('/a+(b)', 'https://shop.example/a+(b)')).toBe(true)
  })

  it('matches as the naive definition does', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '*', '+', '(', '-'), maxLength: 8 })
    fc.assert(
      fc.property(part, part, (pattern, path) => {
        const url = page('https://shop.example/x')
        expect(!!matching({ href: url.href, pathname: '/' + path })({ url: '/' + pattern })).toBe(
          naive('/' + pattern, '/' + path),
        )
      }),
    )
  })
})
