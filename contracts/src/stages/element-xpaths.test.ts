import fc from 'fast-check'
import { expect, it } from 'vitest'
import { likeness } from './element-xpaths.ts'

const like = (xpath: string, target: string, fingerprints: string[] = []): number =>
  likeness({ name: '', xpath, fingerprints }, target)

it.each([
  ['a wrapper has come', "//*[@id='f']/button[1]", "//*[@id='f']/div[1]/button[1]", 2],
  ['it has moved among its siblings', '/html[1]/body[1]/a[1]', '/html[1]/body[1]/a[2]', 1],
  ['another tag', "//*[@id='f']/button[1]", "//*[@id='f']/a[1]", 0],
  ['another form', "//*[@id='f']/button[1]", "//*[@id='g']/button[1]", 0],
  ['below a named element, and below none', "//*[@id='f']/button[1]", '/html[1]/body[1]/button[1]', 0],
  ['two named elements', "//*[@id='a']", "//*[@id='b']", 0],
  ['the same', '//a[1]', '//a[1]', 0],
])('%s', (_, xpath, target, expected) => expect(like(xpath, target)).toBe(expected))

it('a target that a selector of the element finds is the element', () => {
  expect(like("//*[@data-hopper='buy']", "//*[@id='b17']", ['[data-hopper="buy"]', '#b17'])).toBe(Infinity)
})

it('is the same in both directions where no selector decides', () => {
  const step = fc
    .tuple(fc.constantFrom('a', 'b', 'div'), fc.integer({ min: 1, max: 3 }))
    .map(([tag, n]) => `/${tag}[${n}]`)
  const path = fc
    .tuple(fc.constantFrom('', "//*[@id='x']", '//*[@data-hopper="y"]'), fc.array(step, { minLength: 1, maxLength: 5 }))
    .map(([anchor, steps]) => anchor + steps.join(''))
  fc.assert(fc.property(path, path, (one, other) => like(one, other) === like(other, one)))
})
