import { expect, it } from 'vitest'
import { selectorOfElement, selectorOfXPath } from './element-selector.ts'

it.each([
  ["//*[@id='buy']", '*[id="buy"]'],
  [`//*[@id="it's"]`, `*[id="it's"]`],
  [
    '/html[1]/body[1]/main[1]/p[2]',
    'html:root:nth-of-type(1)>body:nth-of-type(1)>main:nth-of-type(1)>p:nth-of-type(2)',
  ],
  ["//*[@data-hopper='add']/button[2]", '*[data-hopper="add"]>button:nth-of-type(2)'],
  ["//form//input[@name][@type='text']", 'form input[name][type="text"]'],
  [`//a[@title='say "hi" \\']`, `a[title="say \\"hi\\" \\\\"]`],
])('the XPath %s is the selector %s', (xpath, selector) => expect(selectorOfXPath(xpath)).toBe(selector))

it.each([
  "//button[text()='Buy']",
  '//*[2]',
  "//a[@class='x'][2]",
  "//a[contains(@class,'x')]",
  '//a/..',
  'not an [xpath',
  '(//a)[1]',
  '//a | //b',
  '',
])('the XPath %s has no selector', (xpath) => expect(selectorOfXPath(xpath)).toBeUndefined())

it('an element without fingerprints has the selector of its XPath', () => {
  expect(selectorOfElement({ xpath: "//*[@id='buy']" })).toBe('*[id="buy"]')
  expect(selectorOfElement({ xpath: "//b[text()='Buy']", fingerprints: [] })).toBeUndefined()
})

it('the first fingerprint of an element that the document contains decides; the XPath is tried last', () => {
  expect(selectorOfElement({ xpath: "//*[@id='f']/button[1]", fingerprints: ['[data-hopper="buy"]', '#buy'] })).toBe(
    ':is([data-hopper="buy"],html:not(:has([data-hopper="buy"])) :is(#buy),' +
      'html:not(:has([data-hopper="buy"])):not(:has(#buy)) :is(*[id="f"]>button:nth-of-type(1)))',
  )
})
