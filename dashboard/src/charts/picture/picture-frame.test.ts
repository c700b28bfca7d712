import { expect, it } from 'vitest'
import { shorten, wrap } from './picture-frame.ts'

const upTo =
  (letters: number) =>
  (part: string): boolean =>
    [...part].length <= letters

it('a text breaks at spaces, and a word that is too long within', () => {
  expect(wrap('one two three', upTo(8))).toEqual(['one two', 'three'])
  expect(wrap('abcdefghij kl', upTo(4))).toEqual(['abcd', 'efgh', 'ij', 'kl'])
  expect(wrap('', upTo(4))).toEqual([])
})

it('text that does not fit into four lines ends with an ellipsis', () => {
  expect(wrap('a'.repeat(100), upTo(10))).toEqual([...Array<string>(3).fill('a'.repeat(10)), `${'a'.repeat(9)}…`])
})

it('a shortened text keeps whole characters', () => {
  expect(shorten('😀😀😀😀', upTo(3))).toBe('😀😀…')
  expect(shorten('abc', upTo(3))).toBe('abc')
})
