import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pageOf, pageUrlOf, storableUrl } from './page-url.ts'
import { parametersOfStages, patternProblem, StagePattern } from './stage-pattern.ts'

describe('a page', () => {
  it.each([
    ['https://shop.example/docs#install', 'shop.example/docs'],
    ['https://shop.example/products/', 'shop.example/products'],
    ['https://shop.example/products//', 'shop.example/products'],
    ['https://shop.example/a//b', 'shop.example/a//b'],
    ['https://shop.example', 'shop.example/'],
    ['https://shop.example?x=1', 'shop.example/'],
    ['https://shop.example//', 'shop.example/'],
    ['HTTPS://Shop.EXAMPLE/Cart', 'shop.example/Cart'],
    ['https://shop.example:443/cart', 'shop.example/cart'],
    ['http://shop.example:80/cart', 'shop.example/cart'],
    ['https://shop.example:8443/cart', 'shop.example:8443/cart'],
    ['http://shop.example:443/cart', 'shop.example:443/cart'],
    ['https://shop.example./cart', 'shop.example/cart'],
    ['https://bücher.example/straße', 'xn--bcher-kva.example/straße'],
    ['https://xn--bcher-kva.example/stra%C3%9Fe', 'xn--bcher-kva.example/straße'],
    ['https://BÜCHER.example/stra%c3%9fe/', 'xn--bcher-kva.example/straße'],
    ['https://ann:secret@shop.example/cart', 'shop.example/cart'],
    ['https:/shop.example/cart', 'shop.example/cart'],
    ['https:\\\\shop.example\\cart', 'shop.example/cart'],
    ['https://shop.example/a/./b/../c', 'shop.example/a/c'],
    ['https://shop.example/a/%2e%2E/c', 'shop.example/c'],
    ['https://shop.example/a%2fb', 'shop.example/a%2Fb'],
    ['https://shop.example/a%3Fb%23c%25', 'shop.example/a%3Fb%23c%25'],
    ['https://shop.example/50%-off', 'shop.example/50%-off'],
    ['https://shop.example/caf%E9', 'shop.example/caf%E9'],
    ['https://shop.example/a%00b%0a', 'shop.example/a%00b%0A'],
    ['https://shop.example/a%20b', 'shop.example/a b'],
    ['https://shop.example/a b', 'shop.example/a b'],
    ['https://shop.example/%41%2D%7e', 'shop.example/A-~'],
    ['https://127.0.0.1:8080/demo/', '127.0.0.1:8080/demo'],
    ['https://[::1]:8080/demo/', '[::1]:8080/demo'],
    ['  https://shop.example/cart\n', 'shop.example/cart'],
    ['//cdn.example/cart/', 'cdn.example/cart'],
    ['/cart/?x=1', '/cart'],
    ['cart', '/cart'],
    ['./cart', '/cart'],
    ['?x=1', '/'],
    ['#top', '/'],
    ['', ''],
    ['file:///home/ann/shop.html?x', 'file:///home/ann/shop.html'],
    ['about:blank', 'about:blank'],
    ['data:text/html,<p>secret', 'data:'],
    ['blob:https://shop.example/8d1f', 'blob:'],
    ['JavaScript:alert(1)', 'javascript:'],
    ['android-app://com.example.mail/', 'android-app://com.example.mail/'],
    ['https://[no-host/cart?token=1', 'https://[no-host/cart'],
    [`https://shop.example/${'a'.repeat(2_000)}/`, `shop.example/${'a'.repeat(2_000)}`],
  ])('of %s is %s', (url, page) => {
    expect(pageOf(url)).toBe(page)
    expect(pageOf(storableUrl(url))).toBe(page)
  })

  it('has the parameters that the app keeps, with the first value of each, sorted by name', () => {
    expect(pageOf('https://s.example/p/?utm=1&b=2&a=%C3%BC+x&a=3', ['b', 'a'])).toBe('s.example/p?a=%C3%BC%20x&b=2')
    expect(pageOf('https://s.example/p?%61=1', ['a'])).toBe('s.example/p?a=1')
    expect(pageOf('https://s.example/p?aa=1', ['a'])).toBe('s.example/p')
  })

  it('includes the route if the app routes by hash', () => {
    const page = (url: string): string => pageOf(url, ['step'], true)
    expect(page('https://s.example/#/home')).toBe('s.example/#/home')
    expect(page('https://s.example/app/#/cart/?token=1&step=2')).toBe('s.example/app#/cart?step=2')
    expect(page('https://s.example/#!/cart')).toBe('s.example/#!/cart')
    expect(page('https://s.example/#/caf%C3%A9')).toBe('s.example/#/café')
    for (const same of ['', '#', '#/', '#!/', '#top', '#token=1'])
      expect(page(`https://s.example/${same}`)).toBe('s.example/')
    expect(pageOf('https://s.example/#/home')).toBe('s.example/')
  })

  it('is the same for every address of the page', () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9._~!$&'()*+,;=:@%/?# -]{0,12}$/)
    fc.assert(
      fc.property(
        fc.constantFrom('https://', 'http://', '', '//'),
        fc.constantFrom(
          's.example',
          'A.b',
          'h:81',
          'h:80',
          'h:443',
          'h:70000',
          'h:080',
          '127.0.0.1',
          '127.0.0.1:8080',
          '127.1',
          'x.0x7f',
          'u:p@h',
        ),
        part,
        fc.boolean(),
        (scheme, host, tail, hash) => {
          const url = scheme === '' ? `/${tail}` : `${scheme}${host}/${tail}`
          const keep = ['a', 'b']
          expect(pageOf(storableUrl(url, keep, hash), keep, hash)).toBe(pageOf(url, keep, hash))
          expect(storableUrl(storableUrl(url, keep, hash), keep, hash)).toBe(storableUrl(url, keep, hash))
          // the URL of a page with a scheme is itself an address of that page
          if (scheme === 'https://')
            expect(pageOf(pageUrlOf(url, keep, hash), keep, hash)).toBe(pageOf(url, keep, hash))
          // the fast path for plain addresses and the general one agree
          expect(pageOf(`${url}`)).toBe(pageOf(` ${url}`))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('the storable part of a URL', () => {
  it.each([
    ['https://s.example/reset?token=t&email=e', 'https://s.example/reset'],
    ['https://s.example/invite#token=t', 'https://s.example/invite'],
    ['https://s.example/p?b=2&x=1&a=%20', 'https://s.example/p?b=2&a=%20'],
    ['https://ann:pw@s.example/p', 'https://s.example/p'],
    ['https://a@b@s.example/p', 'https://s.example/p'],
    ['https:ann:pw@s.example/p', 'https:s.example/p'],
    ['//ann@s.example/p', '//s.example/p'],
    ['ftp://ann:pw@s.example/p', 'ftp://s.example/p'],
    ['data:text/plain,secret', 'data:'],
    ['da\nta:text/plain,secret', 'data:'],
    ['/reset?token=t', '/reset'],
    ['?token=t', '/'],
    ['https://s.example/#/reset?token=t', 'https://s.example/'],
  ])('of %s is %s', (url, stored) => expect(storableUrl(url, ['a', 'b'])).toBe(stored))

  it('is the unchanged address if nothing must be removed, even if it is not in normal form', () => {
    for (const url of [
      'https://S.example:443/a%20b//../',
      '/home',
      'home',
      '',
      'https://s.example/@ann',
      'localhost:8080/x',
    ])
      expect(storableUrl(url)).toBe(url)
  })

  it('keeps a route without its query', () => {
    expect(storableUrl('https://s.example/?x=1#/reset?token=t&a=1', ['a'], true)).toBe('https://s.example/#/reset?a=1')
    expect(storableUrl('https://s.example/#access_token=t', [], true)).toBe('https://s.example/')
  })
})

describe('a stage pattern', () => {
  const fits = (pattern: string, url: string, keep: readonly string[] = ['step', 'lang']): boolean =>
    new StagePattern(pattern).matches(pageUrlOf(url, keep, true))

  it.each([
    ['/products', '/products/'],
    ['/products/', '/products'],
    ['/products', '/products?page=2#top'],
    ['/products*', '/products/'],
    ['/products*', '/products/7'],
    ['/products/*', '/products/7'],
    ['/*', '/'],
    ['*', '/x'],
    ['*/cart', '/demo/cart/'],
    ['/demo/*/products*', '/demo/spa/products'],
    ['/a*b*c', '/a-b-b-c'],
    ['/caf%C3%A9', '/café'],
    ['/café', '/caf%c3%a9'],
    ['/a b*', '/a%20bc'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%2Ab', '/a*b'],
    ['/a/../b', '/b'],
    ['/checkout?step=2', '/checkout?x=1&step=2'],
    ['/checkout?step=2', '/checkout/?lang=de&step=2'],
    ['/checkout?step=*', '/checkout?step=3'],
    ['/checkout?step', '/checkout?step=3'],
    ['/checkout', '/checkout?step=3'],
    ['/search?lang=a+b', '/search?lang=a%20b'],
    ['/#/cart', '/#/cart/'],
    ['/#/cart*', '/#/cart/7'],
    ['/#/cart?step=2', '/#/cart?step=2'],
    ['/', '/#/'],
    ['/#/*', '/'],
    ['/app*', '/app#/x'],
    ['https://shop.example/cart', '/cart/'],
    ['https://SHOP.example:443/cart/', '/cart'],
    ['https://shop.example*', '/cart'],
    ['http*', '/cart'],
    ['http*://shop.example/cart', '/cart'],
    ['https://*.example/cart', '/cart'],
    ['https://shop.example', '/'],
    ['https://shop.example/', '/'],
    ['https://shop.example/*#/cart', '/app#/cart'],
    ['https://*/', '/'],
  ])('%s matches %s', (pattern, path) => {
    expect(fits(pattern, `https://shop.example${path}`)).toBe(true)
    expect(patternProblem(pattern, { hash_routing: true })).toBeUndefined()
    // also matches a path without an origin
    if (!pattern.startsWith('http')) expect(fits(pattern, path)).toBe(true)
  })

  it.each([
    ['/products', '/products/7'],
    ['/products/*', '/products7'],
    ['/products/*', '/products'],
    ['/products/*', '/products/'],
    ['/a.c', '/abc'],
    ['/a*b*c', '/a-c'],
    ['/ab*ba', '/aba'],
    ['/products', '/Products'],
    ['/checkout?step=2', '/checkout?step=3'],
    ['/checkout?step=2', '/checkout'],
    ['/checkout?step=2', '/checkout?step=22'],
    ['/#/cart', '/cart'],
    ['/', '/#/cart'],
    ['/cart', '/#/cart'],
    ['https://shop.example/cart', '/cart/7'],
    ['http://shop.example/cart', '/cart'],
    ['https://other.example/cart', '/cart'],
    ['https://shop.example', '/cart'],
  ])('%s does not match %s', (pattern, path) => expect(fits(pattern, `https://shop.example${path}`)).toBe(false))

  it('explains why no page can ever match it', () => {
    const problem = (pattern: string, hash_routing = false): string | undefined =>
      patternProblem(pattern, { hash_routing })
    for (const bad of [
      'checkout',
      '###',
      '#/cart',
      '?step=2',
      ' /x',
      '/a\nb',
      'http://',
      'https://[x/',
      'https://a@s.example/',
      '/a*/../b',
      '/a?=1',
      '/a?x*=1',
      'ftp://s.example/',
    ]) {
      expect(problem(bad, true), bad).toBeTypeOf('string')
    }
    expect(problem('/#/cart')).toContain('hash_routing')
    expect(problem('/docs#install', true)).toContain('no route')
    for (const good of ['/', '/products*', '/checkout?step=2', '*', 'https://s.example/*', '/#', '/#/'])
      expect(problem(good), good).toBeUndefined()
  })

  it('lists the parameters that its app must keep', () => {
    expect(parametersOfStages([{ url: '/a?step=2&lang=*' }, { url: '/b?step=3#/c?tab=1' }, { url: '/c' }, {}])).toEqual(
      ['step', 'lang', 'tab'],
    )
  })

  it('matches without catastrophic backtracking', () => {
    const started = performance.now()
    expect(fits(`${'*a'.repeat(1_000)}*b`, `/${'a'.repeat(2_000)}`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  it('agrees with the naive definition', () => {
    const naive = (pattern: string, text: string): boolean => {
      if (pattern === '') return text === ''
      if (pattern[0] === '*') return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)))
      return pattern[0] === text[0] && naive(pattern.slice(1), text.slice(1))
    }
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '+', '('), maxLength: 8 })
    fc.assert(
      fc.property(
        part,
        part.map((text) => text.replaceAll('*', '')),
        (pattern, path) => {
          expect(new StagePattern(`/${pattern}`).matches(pageUrlOf(`https://s.example/${path}`))).toBe(
            naive(`/${pattern}`, `/${path}`),
          )
        },
      ),
    )
  })
})
