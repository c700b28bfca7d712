import { EventQuery, Funnel, FunnelQuery, nearName, RetentionQuery } from '@hopper/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultsIn } from './checked.ts'

const eq = { type: 'eq', key: 'a', value: 1 }
const valid: readonly [string, never, object][] = [
  [
    'funnel query',
    FunnelQuery as never,
    {
      from: 1,
      to: '2026-01-01',
      steps: [{ name: 'a', filters: [eq, { type: 'not', filter: { type: 'or', filters: [eq] } }] }],
      order: 'strict',
      window_ms: 5,
      people: { step: 1, outcome: 'late', limit: 3 },
    },
  ],
  [
    'query',
    EventQuery as never,
    {
      start: 1,
      end: 2,
      data: [
        {
          name: 'a',
          filters: [{ type: 'in', key: 'a', values: [1, 'x', true] }],
          operations: [{ type: 'unique', key: 'b' }],
        },
      ],
      funnel: { type: 'exact_order', order: ['a'] },
    },
  ],
  [
    'retention',
    RetentionQuery as never,
    { from: 1, to: 2, first: [{ type: 'gt', key: 'a', value: '9' }], again: [], by: 'week', count_by: 'session' },
  ],
  ['funnel', Funnel as never, { id: 'f', name: 'f', stages: [{ id: 1, name: 's', url: '/' }] }],
]

/** Lists all places in a value, each as the path of keys to it. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const inner =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]))
      : []
  return [path, ...inner]
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  const part = (value as Record<string, unknown>)[key]
  return Object.assign(copy, { [key]: replaceAt(part, rest, by) })
}

test.each(valid)(
  'a valid %s has no fault; with any value in any place it is accepted or has a fault that names a field',
  (_, schema, value) => {
    expect(faultsIn(schema, value)).toEqual([])
    const places = placesIn(value)
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.oneof(
          fc.jsonValue({ maxDepth: 2 }),
          fc.constantFrom({ type: 'eq' }, { type: 'nothing' }, 'x'.repeat(3_000), 1e308),
        ),
        (place, by) => {
          for (const { field, message } of faultsIn(schema, replaceAt(value, place, by))) {
            expect(message).not.toBe('does not have the documented shape')
            expect(message).not.toMatch(/constant|anyOf|schema/)
            expect(field === '' ? place.length : 0).toBe(0)
          }
        },
      ),
      { numRuns: 500 },
    )
  },
)

test.each(valid)('a %s with an unknown field in any object has exactly that fault', (_, schema, value) => {
  for (const place of placesIn(value)) {
    const object = place.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], value)
    if (typeof object !== 'object' || Array.isArray(object)) continue
    const faults = faultsIn(schema, replaceAt(value, place, { ...object, zzz_unknown: 1 }))
    expect(faults.map(({ field }) => field.endsWith('zzz_unknown'))).toEqual([true])
  }
})

test('suggests the name that was probably meant', () => {
  const known = ['from', 'to', 'steps', 'window_ms', 'count_by', 'filters', 'breakdown']
  const cases: [string, string | undefined][] = [
    ['windowMs', 'window_ms'],
    ['window-ms', 'window_ms'],
    ['window', 'window_ms'],
    ['WINDOW_MS', 'window_ms'],
    ['windwo_ms', 'window_ms'],
    ['filter', 'filters'],
    ['breakdwon', 'breakdown'],
    ['To', 'to'],
    ['step', 'steps'],
    ['fromm', 'from'],
    ['xyz', undefined],
    ['', undefined],
    ['_', undefined],
    ['x'.repeat(10_000), undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ]
  for (const [name, meant] of cases) expect([name, nearName(name, known)]).toEqual([name, meant])
  expect(nearName('total', ['to', 'total_days'])).toBe('total_days')
})
