import fc from 'fast-check'
import { expect, it } from 'vitest'
import { limitDepth } from './limit-depth.ts'

const cut = (json: string, depthMax = 2, bytesMax = 1_000_000): string =>
  limitDepth(Buffer.from(json), depthMax, bytesMax).toString()

/** Returns the value with null in place of lists and objects that are too deep. */
function shallow(value: unknown, depthLeft: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depthLeft === 0) return null
  if (Array.isArray(value)) return value.map((each) => shallow(each, depthLeft - 1))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shallow(each, depthLeft - 1)]))
}

it('replaces too deep values by null, and changes nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 1, max: 4 }), (value, depthMax) => {
      expect(JSON.parse(cut(JSON.stringify(value), depthMax))).toEqual(
        JSON.parse(JSON.stringify(shallow(value, depthMax))),
      )
    }),
  )
  expect(cut('[["[[[[", {"a\\"[[[[": 1}, [[1], 2]]]')).toBe('[["[[[[", null, null]]')
  expect(cut('[[[1],[22]]]', 2, 3)).toBe('[[null,"xxx"]]')
})

it('keeps invalid JSON invalid, and reads no more of it than necessary', () => {
  for (const json of ['[[[', '[[[1', '[[1, [2, 3', '[1]]]', '[[[1}]]x', '"[[['])
    expect(() => JSON.parse(cut(json)) as unknown).toThrow()
  expect(cut('['.repeat(400_000), 64)).toHaveLength(64)
})
