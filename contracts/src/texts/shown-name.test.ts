import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { nameFrom, shownName, shownText, trimNames } from './shown-name.ts'

const schema = shownName()
const validator = Compile(schema)
const isName = (text: string): boolean => validator.Check(trimNames(schema, text))

test('takes names of any script and with emoji', () => {
  const names = [
    'a',
    'Größe',
    '商品',
    'عربي',
    '\u2067عربي\u2069',
    'نامه\u200cها',
    '👩‍👩‍👧',
    '❤️',
    '🏴',
    '<b>',
    'a "b"',
    'x'.repeat(200),
  ]
  // a flag with tags, which are not seen themselves
  const england = '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'
  expect([...names, england].filter((name) => !isName(name))).toEqual([])
})

test('refuses control characters, half surrogate pairs, and invisible names', () => {
  const marks = [0, 9, 10, 13, 0x1f, 0x7f, 0x85, 0x9f, 0x2028, 0x2029, 0xd800, 0xdfff]
  const inside = marks.map((mark) => `a${String.fromCharCode(mark)}b`)
  const unseen = [
    '',
    ' ',
    '\u00a0',
    '\u200b',
    '\u200d\u200d',
    '\u3164',
    '\ufeff',
    '\u2800',
    '\u00ad',
    '\t\n',
    '\u202e',
    '\u2066 \u2069',
  ]
  expect([...inside, ...unseen, 'x'.repeat(201)].filter(isName)).toEqual([])
})

test('no name consists of spaces and of characters up to U+FFFF that Unicode lets every font ignore', () => {
  const unseen: string[] = []
  for (let code = 0; code <= 0xffff; code++) {
    const character = String.fromCharCode(code)
    if (/[\p{Default_Ignorable_Code_Point}\p{Zs}]/u.test(character)) unseen.push(character)
  }
  expect(unseen.length).toBeGreaterThan(60)
  expect(unseen.filter((character) => isName(character + character))).toEqual([])
})

test('a text may have several lines', () => {
  const text = Compile(shownText(50))
  const [good, bad] = [
    ['a\nb', 'a\r\n\tb'],
    ['\n', '\u202e', 'a\0', 'a\u000bb', 'a\ud800'],
  ]
  expect([...good, ...bad].filter((one) => text.Check(one))).toEqual(good)
})

test('the rule is the same for a naive reading of every character', () => {
  const refused = (char: string): boolean => /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(char)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), (text) => {
      const name = `a${text}b`
      expect(isName(name)).toBe(![...name].some(refused))
      expect(isName(nameFrom(name))).toBe(true)
    }),
  )
})

test('a long text is checked in linear time', () => {
  const start = performance.now()
  expect(isName(`${' '.repeat(2_000_000)}${'a'.repeat(2_000_000)}\0`)).toBe(false)
  expect(isName(`${'\u200b'.repeat(2_000_000)}\0`)).toBe(false)
  expect(performance.now() - start).toBeLessThan(5_000)
})

test('removes the spaces around names at any depth, and nothing else', () => {
  const names = Type.Object({
    name: schema,
    text: Type.String(),
    inner: Type.Array(Type.Object({ name: Type.Union([schema, Type.Null()]) })),
    either: Type.Union([Type.Object({ name: schema }), Type.Null()]),
  })
  const sent = {
    name: ' a ',
    text: ' b ',
    inner: [{ name: '\tc\n' }, { name: null }],
    either: { name: ' d' },
    more: ' e ',
    ['__proto__']: 1,
  }
  expect(trimNames(names, sent)).toEqual({
    ...sent,
    name: 'a',
    inner: [{ name: 'c' }, { name: null }],
    either: { name: 'd' },
  })
  for (const odd of [null, 1, 'x', [1], { inner: 3 }, { inner: [null] }]) expect(trimNames(names, odd)).toEqual(odd)
})
