import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pageOf, pageUrlOf, type PageRule } from './page-url.ts'
import { patternProblem, StagePattern, trackedPattern } from './stage-pattern.ts'
import { trackedPage } from './tracked-page.ts'

/** The page of an address, as the tracker derives it. */
const tracked = (url: string, rule: PageRule): string =>
  new URL(url).href.match(new RegExp(trackedPage(rule), 'g'))!.join()
const rule = (keep_parameters: string[] = [], hash_routing = false): PageRule => ({ keep_parameters, hash_routing })
const rules = [rule(), rule(['step', 'b c']), rule([], true), rule(['step'], true)]

/**
 * Paths whose parts have one spelling each. Leaves out paths that the tracker and ingest may distinguish differently:
 * ",&" in a path, a parameter that occurs twice, and the route `#/` with a parameter.
 */
const part = fc
  .array(
    fc.constantFrom('a', 'b', '/', '-', '.x', 'é', '%2F', ',', '(', ' ', '?step=1', '?x=1', '&step=2', '&y', '#', '#/'),
    {
      maxLength: 7,
    },
  )
  .map((parts) => parts.join(''))
  .filter((path) => path.split('step').length < 3 && path.split('#').length < 3 && !/,[?&#]|#!?\/*\?/.test(path))

describe('a page in the tracker', () => {
  it.each([
    ['https://s.example/docs#a', 'https://s.example/docs'],
    ['https://s.example/', 'https://s.example'],
    ['https://s.example/a//?x=1', 'https://s.example/a'],
    ['https://s.example/a?x=1&step=2#/r', 'https://s.example/a,&step=2'],
    ['https://s.example/a#?step=2', 'https://s.example/a'],
  ])('of %s is %s', (url, page) => expect(tracked(url, rule(['step']))).toBe(page))

  it('has its route if the app routes by hash', () => {
    expect(tracked('https://s.example/#/home/?x=1', rule([], true))).toBe('https://s.example,#/home')
    for (const start of ['', '#', '#/', '#top'])
      expect(tracked(`https://s.example/${start}`, rule([], true))).toBe('https://s.example')
  })

  it('changes exactly if the page changes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rules), part, part, (by, one, other) => {
        const urls = [one, other].map((path) => new URL(`https://s.example/${path}`).href)
        const pages = urls.map((url) => pageOf(url, by.keep_parameters, by.hash_routing))
        const known = urls.map((url) => tracked(url, by))
        // the tracker may take one page for two, never two for one
        if (pages[0] !== pages[1]) expect(known[0]).not.toBe(known[1])
        if (by.keep_parameters.length === 0) expect(known[0] === known[1]).toBe(pages[0] === pages[1])
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('a stage pattern in the tracker', () => {
  it.each([
    ['/', 'https://s.example/', true],
    ['/', 'https://s.example/#/home', false],
    ['/*', 'https://s.example/', true],
    ['/products', 'https://s.example/products/', true],
    ['/products/*', 'https://s.example/products/', false],
    ['/products*', 'https://s.example/products/7?x=1', true],
    ['/a*b*c', 'https://s.example/a-b-b-c', true],
    ['/café', 'https://s.example/caf%c3%a9', true],
    ['/a%2fb', 'https://s.example/a%2Fb', true],
    ['/a b', 'https://s.example/a%20b', true],
    ['/checkout?step=2', 'https://s.example/checkout?x=1&step=2', true],
    ['/checkout?step=2', 'https://s.example/checkout?step=22', false],
    ['/checkout?step=*', 'https://s.example/checkout/?step=3', true],
    ['/checkout?step', 'https://s.example/checkout', false],
    ['/checkout?step=/a~', 'https://s.example/checkout?step=%2fa%7E', true],
    ['/checkout?step=1', 'https://s.example/checkout?x=1?step=1', false],
    ['/checkout?step=1', 'https://s.example/checkout#a?step=1', false],
    ['https://s.example/cart', 'https://s.example/cart', true],
    ['https://other.example/cart', 'https://s.example/cart', false],
    ['https://*.example/cart', 'https://s.example/cart', true],
    ['https://s.example', 'https://s.example/', true],
    ['/#/cart', 'https://s.example/?step=1#/cart/?y=1', true],
    ['/#/*', 'https://s.example/', true],
    ['*/cart', 'https://s.example/demo/cart', true],
    ['/*b', 'https://s.example/?step=b', false],
    ['/*b', 'https://s.example/a?step=1#/b', true],
    ['/*b/*', 'https://s.example/a?step=b/c#/d', false],
    ['/a+(b)', 'https://s.example/a+(b)', true],
    ['/a.c', 'https://s.example/abc', false],
  ])('%s on %s: %s', (pattern, url, fits) => {
    const by = rule(['step'], true)
    expect(new StagePattern(pattern).matches(pageUrlOf(url, by.keep_parameters, by.hash_routing))).toBe(fits)
    expect(new RegExp(trackedPattern(pattern, by)).test(tracked(url, by))).toBe(fits)
  })

  it('accepts what it accepts at ingest', () => {
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '/', '-', '*', '.x', 'é', '(', '/#/a', '?step=1'), { maxLength: 6 })
      .map((parts) => `/${parts.join('')}`)
    fc.assert(
      fc.property(fc.constantFrom(...rules), pattern, part, (by, text, path) => {
        fc.pre(patternProblem(text, by) === undefined)
        const wanted = new StagePattern(text)
        fc.pre(wanted.parameters.every((name) => by.keep_parameters.includes(name)))
        const url = new URL(`https://s.example/${path}`).href
        expect(new RegExp(trackedPattern(text, by)).test(tracked(url, by))).toBe(
          wanted.matches(pageUrlOf(url, by.keep_parameters, by.hash_routing)),
        )
      }),
      { numRuns: 5_000 },
    )
  })
})
