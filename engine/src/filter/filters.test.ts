import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HopperError, queryLimits, type Filter } from '@hopper/contracts'
import { chunkRows } from '../chunk/chunk-rows.ts'
import { naiveAll } from '../contract/naive-filter.ts'
import { rareKeys, T0, TICK_MS, world } from '../contract/random-world.ts'
import { classifyRows, possibleOutcomes } from './classify-rows.ts'
import { AtomSet, holds, possible } from './compile-filters.ts'
import { parseFilters } from './parse-filters.ts'

const key = fc.constantFrom(
  'name',
  'type',
  'item',
  'plan',
  'country',
  'to',
  'page',
  'data.page',
  'user_id',
  'user',
  'device_id',
  'event_id',
  'timestamp',
  'seq',
  'data.item',
  'nothing',
  'utm_source',
  'channel',
  'region',
  'landing_page',
  'click_id',
  'language',
  'screen',
  'constructor',
  'session_id',
  ...rareKeys,
)
const value = fc.constantFrom<string | number | boolean>(
  'a',
  'x',
  1,
  '1',
  true,
  0,
  'DE',
  'custom',
  'user-1',
  's.example/p1',
  '/p0',
  '1.0',
  '0',
  T0 + 3 * TICK_MS,
  'k',
  '',
)
const filter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constantFrom('eq' as const, 'ne' as const), key, value }),
    fc.record({ type: fc.constant('in' as const), key, values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
    fc.record({ type: fc.constant('all' as const), key }),
    fc.record({ type: fc.constant('contains' as const), key, value: fc.constantFrom('a', '-', '', 'p') }),
    fc.record({
      type: fc.constant('regex' as const),
      key,
      value: fc.constantFrom('[a-c]', 'a|x', '.*', 'user-\\d', ''),
    }),
    fc.record({
      type: fc.constantFrom('gt' as const, 'lt' as const),
      key,
      value: fc.constantFrom<string | number>('b', 1, '0', '9', '1e0', T0 + 5 * TICK_MS),
    }),
    fc.record({
      type: fc.constant('pattern' as const),
      key: fc.constant('page_url' as const),
      value: fc.constantFrom('/p1', '/p*', 'https://*', '/p2?plan=*'),
    }),
    fc.record({ type: fc.constant('not' as const), filter: tie('filter') }),
    fc.record({ type: fc.constant('or' as const), filters: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
  ),
})).filter

const placeOf = (lane: number, { position, index }: { position: number; index: number }): string =>
  `${lane} ${position} ${index}`

describe('filters', () => {
  it(
    'match the same rows as the naive reference, and only chunks without a match are skipped',
    { timeout: 120_000 },
    () => {
      fc.assert(
        fc.property(
          world,
          fc.array(fc.array(filter, { maxLength: 3 }), { minLength: 8, maxLength: 8 }),
          (generated, queries) => {
            const persons = new Map(generated.rows.map((row) => [placeOf(row.lane, row), row.person]))
            for (const filters of queries) {
              const atoms = new AtomSet()
              const expression = atoms.compile(parseFilters(filters))
              for (const chunk of generated.chunks.flat()) {
                const { codes, classes, truths } = classifyRows(chunk, atoms.atoms)
                const expected = chunkRows(chunk).map((row) =>
                  naiveAll({ ...row, person: persons.get(placeOf(chunk.summary.lane, row))! }, filters),
                )
                expect(Array.from(codes, (code) => holds(expression, truths[classes[code]!]!))).toEqual(expected)
                const outcomes = possible(expression, possibleOutcomes(chunk.summary, atoms.atoms))
                if (expected.includes(true)) expect(outcomes & 1).toBe(1)
                if (expected.includes(false)) expect(outcomes & 2).toBe(2)
              }
            }
          },
        ),
        { numRuns: 20 },
      )
    },
  )

  it('are rejected if they exceed a limit or are malformed, with the path of the error', () => {
    let nested: unknown = { type: 'all', key: 'a' }
    for (let i = 0; i < 1_000; i++) nested = { type: 'not', filter: nested }
    const code = (value: unknown): unknown => {
      try {
        new AtomSet().compile(parseFilters(value))
        return 'accepted'
      } catch (error) {
        return error instanceof HopperError ? error.code : error
      }
    }
    const all = { type: 'all', key: 'a' }
    expect(code([nested])).toBe('HOP_LIMIT')
    expect(code(Array.from({ length: queryLimits.filtersMax + 1 }, () => all))).toBe('HOP_LIMIT')
    expect(
      code([
        {
          type: 'or',
          filters: Array.from({ length: 90 }, () => ({ type: 'or', filters: Array.from({ length: 90 }, () => all) })),
        },
      ]),
    ).toBe('HOP_LIMIT')
    expect(code([{ type: 'regex', key: 'a', value: 'x'.repeat(queryLimits.regexCharsMax + 1) }])).toBe('HOP_LIMIT')
    for (const bad of [
      null,
      'x',
      [1],
      [{ type: 'like', key: 'a' }],
      [{ type: 'eq', key: 'a', value: {} }],
      [{ type: 'eq', key: '', value: 1 }],
      [{ type: 'in', key: 'a', values: [] }],
      [{ type: 'regex', key: 'a', value: '(' }],
      [{ type: 'regex', key: 'a', value: '(a)\\1' }],
      [{ type: 'or', filters: [] }],
      [{ type: 'gt', key: 'a', value: true }],
    ]) {
      expect(code(bad)).toBe('HOP_PARAM_INVALID')
    }
    expect(() => parseFilters([all, { type: 'not', filter: { type: 'eq', key: 'a' } }])).toThrow(
      'filters[1].filter.value',
    )
  })

  it('match a regex that is exponential in other engines in linear time', () => {
    const atoms = new AtomSet()
    atoms.compile(parseFilters([{ type: 'regex', key: 'a', value: '(a+)+$' }]))
    expect(atoms.atoms[0]!.test('a'.repeat(2_000) + 'b')).toBe(false)
    expect(atoms.atoms[0]!.test('a'.repeat(2_000))).toBe(true)
  })
})
