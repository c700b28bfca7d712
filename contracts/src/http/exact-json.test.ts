import fc from 'fast-check'
import { expect, it } from 'vitest'
import { withExactNumbers } from './exact-json.ts'

const parsed = (json: string): unknown => JSON.parse(withExactNumbers(json))

it('turns exactly those whole numbers into texts whose digits a double would change', () => {
  expect(parsed('{"id":9007199254740993}')).toEqual({ id: '9007199254740993' })
  expect(parsed('[-123456789012345678901234567890, 9007199254740991]')).toEqual([
    '-123456789012345678901234567890',
    9007199254740991,
  ])
  const untouched = {
    'a: 9007199254740993': '[9007199254740993, \\": 9007199254740993',
    numbers: [1796077464636, 2 ** 53, 1.2345678901234567e19, 0.12345678901234567, 1.5e300, -4e-20],
  }
  expect(parsed(JSON.stringify(untouched))).toEqual(untouched)
  for (const json of ['[1e1234567890123456]', '[1e-1234567890123456,12345678901234567e2,1234567890123456.5]'])
    expect(withExactNumbers(json)).toBe(json)
})

it('keeps every JSON text valid and equal, but for these numbers', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value, null, 1)
      expect(parsed(json)).toEqual(JSON.parse(json))
    }),
  )
  fc.assert(
    fc.property(fc.bigInt(), fc.string(), (id, name) => {
      const exact = String(Number(id)) === String(id) ? Number(id) : String(id)
      expect(parsed(`{${JSON.stringify(name)}: [${id}]}`)).toEqual({ [name]: [exact] })
    }),
  )
})

it('takes strings of any length', () => {
  for (const text of ['a', '\\', '"']) {
    const value = { text: text.repeat(20_000_000), id: 1 }
    const json = JSON.stringify(value).replace('"id":1', '"id":9007199254740993')
    expect(withExactNumbers(json) === json.replace('9007199254740993', '"9007199254740993"')).toBe(true)
  }
})

it('does not make invalid JSON valid', () => {
  for (const json of ['[01234567890123456]', '[+1234567890123456]', '["1234567890123456789', '[1234567890123456789'])
    expect(() => parsed(json)).toThrow(SyntaxError)
})
