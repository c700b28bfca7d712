import { expect, it } from 'vitest'
import { mappedEvent, typedValue } from './mapped-event.ts'
import { parseMapping } from './mapping.ts'

const parse = (mapping: unknown): ReturnType<typeof parseMapping> => parseMapping(mapping, 'm.json')

it('names everything that is wrong with a mapping at once', () => {
  const message = ((): string => {
    try {
      parse({ timestmp: 'a', name: 7, data: [1], timestamp_unit: 'h', delimiter: ';;' })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  })()
  for (const part of [
    '"timestmp" is not a field of an event; did you mean "timestamp"?',
    '"name" must be the name of a column',
    '"data" must be "*", a list of columns, or the name of one',
    '"timestamp_unit" must be one of s, ms, us, ns',
    '"delimiter" must be one character',
    '"timestamp" is missing',
  ])
    expect(message).toContain(part)
  for (const wrong of [null, [], 'x', 7]) expect(() => parse(wrong)).toThrow('must be an object')
})

it('reads times in any unit, as numbers or texts, and leaves other texts as they are', () => {
  const timeOf = (unit: string, ts: unknown): unknown =>
    mappedEvent({ ts }, parse({ timestamp: 'ts', timestamp_unit: unit }), false)['timestamp']
  expect(timeOf('s', 1_600_000_000.25)).toBe(1_600_000_000_250)
  expect(timeOf('s', '1600000000')).toBe(1_600_000_000_000)
  expect(timeOf('ms', 1_600_000_000_000)).toBe(1_600_000_000_000)
  expect(timeOf('us', '1600000000123999')).toBe(1_600_000_000_123)
  expect(timeOf('ns', '1600000000123999999')).toBe(1_600_000_000_123)
  expect(timeOf('s', '2024-01-31T12:00:00Z')).toBe('2024-01-31T12:00:00Z')
})

it('recognizes numbers and truth values in texts only where nothing is lost', () => {
  const texts = [
    '0',
    '-12.5',
    '1e3',
    '123456789012345',
    'true',
    '007',
    '+1',
    '.5',
    '1234567890123456',
    '0x1',
    'True',
    ' 1',
  ]
  expect(texts.map(typedValue)).toEqual([0, -12.5, 1_000, 123_456_789_012_345, true, ...texts.slice(5)])
})

it('makes data of all other columns, of named ones, or of one with an object', () => {
  const row = { ts: 1, event: 'n', price: 5, user: { plan: 'pro' }, more: '{"a":1}' }
  const dataOf = (data: unknown): unknown =>
    mappedEvent(row, parse({ timestamp: 'ts', name: 'event', data }), false)['data']
  expect(dataOf('*')).toEqual({ price: 5, user: { plan: 'pro' }, more: '{"a":1}' })
  expect(dataOf(['price', 'user.plan', 'missing'])).toEqual({ price: 5, 'user.plan': 'pro' })
  expect(dataOf('user')).toEqual({ plan: 'pro' })
  expect(dataOf('more')).toEqual({ a: 1 })
})
