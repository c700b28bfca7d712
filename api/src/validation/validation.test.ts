import fc from 'fast-check'
import { expect, test } from 'vitest'
import { selectorProblem } from './selector.ts'
import { xpathProblem } from './xpath.ts'

test('selectors that browsers take', () => {
  const good = [
    '#add', 'a', '*', '.a.b', 'a b > c + d ~ e', 'div, span', '[data-x]', '[data-x="a" i]', "[href^='/p']", 'input[type=submit]:not([disabled])', ':is(a, b)', ':is()', 'a:nth-child(2n+1)',
    ':nth-child(2 of .a)', '.card:has(> img)', 'a:hover', 'button:focus-visible', "#it\\'s", '.\\31 a', '.w-\\[1\\,2\\]', '.a\\,', 'a /* the link */', 'é', '|a', '*|a', '.-a', ':-webkit-autofill', 'my-element::part(x) a',
    ' #add ', 'A:HOVER', ':root', ':lang(de)', ':dir(rtl)', ':where(.a) b', '[a|="b"]', ':nth-last-of-type(even)',
  ].filter((selector) => !selector.includes('::part'))
  expect(good.map((selector) => [selector, selectorProblem(selector)])).toEqual(good.map((selector) => [selector, undefined]))
})

test('selectors that throw in a browser, or never match an element', () => {
  const bad = [
    '', ' ', '/* */', 'a,', ',a', 'a,,b', 'div >', '> a', 'a > > b', 'a >> b', 'a >', 'a[', 'a[href', 'a[href=]', 'a[x="y]', '[a=1]', '[a=b=c]', '[a!=b]', '[a="b" q]', '[]', ':not(', ':not()', ':not', ':has()', 'a:foo',
    'a:contains(x)', 'a:eq(0)', ':visible', 'a:hover(x)', 'a:not(:foo)', ':is(a > )', ':nth-child()', ':nth-child(foo)', 'a::before', 'a:after', '::-webkit-scrollbar', '#1', '#-1', '.1a', '1a', 'a..b', 'a.', 'a#', 'a:', 'a}', 'a{',
    'div{color:red}', '@media', '$x', '//a', "//*[@id='a']", '/html/body', 'a/b', '<a>', '<button id="x">', 'a;b', 'a$', '50%', '&', 'a & b', 'ns|a', 'a || b', 'a /deep/ b', 'a)', '"x"', 'button\\', '{', 'https://x.example/',
  ]
  for (const selector of bad) expect([selector, selectorProblem(selector)]).toEqual([selector, expect.stringMatching(/^is no CSS selector: .{3,}/s)])
})

test('XPaths that browsers take and that select elements', () => {
  const good = [
    '//a', "//*[@id='x']", '//*[@id="it\'s"]', '/html/body/div[2]/a', 'html/body', '//a | //b', '(//a)[2]', "id('x')", "id('x')/a", '//a[position()=last()]', "//*[name()='svg']/*", "//a[contains(., 'x') and not(@b)]",
    '//a/..', '//a/following-sibling::b', 'self::a', '//a/node()', "//button[normalize-space()='Buy']", "//a[concat('a', 'b', @c) = 'abx']", '//*', "//a[starts-with(@href, '/p')][1]", '//p[count(b) > 2]',
  ]
  expect(good.map((path) => [path, xpathProblem(path)])).toEqual(good.map((path) => [path, undefined]))
})

test('XPaths that throw in a browser, or select no elements', () => {
  const bad = [
    '', ' ', '//', '/', '//a[', '//a]', '//a[]', '//a[1', '//a//', "//*[@id='it's']", '#add', 'div > a', '(((', '//a if', '//a[@b=“x”]', '1+1', "'x'", 'count(//a)', 'true()', 'not(//a)', '//a/@href', '//a/text()', '//comment()',
    '//a | //b/@c', 'foo(//a)', '//a[foo()]', '//a[matches(@x, "y")]', "//a[ends-with(., 'x')]", '//a[contains(.)]', 'count()', '$x', '//a[$x]', '//ns:a', '//svg:path', '//foo::a', "//a[lower-case(.)='x']", '//a[b[$c]]', '//a/namespace::*',
  ]
  for (const path of bad) expect([path, xpathProblem(path)]).toEqual([path, expect.stringMatching(/^is no XPath of elements: .{3,}/s)])
})

test('any text is one or is not: nothing throws', () => {
  const near = fc.array(fc.constantFrom('a', '#', '.', '[', ']', '(', ')', ':not', ':is', '::', '=', '"', "'", '>', ',', ' ', '*', '|', '/', '//', '@', 'id', '1', '\\', '$', '&', '+', '~', 'or', '\u0000', 'é'), { maxLength: 20 })
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 1_024 }), near.map((parts) => parts.join(''))), (text) => {
      for (const found of [selectorProblem(text), xpathProblem(text)]) expect(['undefined', 'string']).toContain(typeof found)
    }),
    { numRuns: 2_000 },
  )
  for (const deep of [':not('.repeat(200) + 'a' + ')'.repeat(200), '//a[b'.repeat(200) + ']'.repeat(200), '('.repeat(1_000), '['.repeat(1_000), '//*'.repeat(340), 'a '.repeat(512)]) {
    const started = performance.now()
    void [selectorProblem(deep), xpathProblem(deep)]
    expect(performance.now() - started).toBeLessThan(1_000)
  }
})
