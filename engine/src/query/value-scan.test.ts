import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Filter, Value } from '@hopper/contracts'
import { naiveAll, naiveValue } from '../contract/naive-filter.ts'
import { properties, rareKeys, T0, TICK_MS, world, type World } from '../contract/random-world.ts'
import { keyOfColumn } from '../chunk/key-names.ts'
import { tallyValues, ValuePlan, ValueTotals, type ValuesRequest } from './value-scan.ts'

const filters = fc.constantFrom<Filter[]>(
  [],
  [{ type: 'eq', key: 'name', value: 'a' }],
  [{ type: 'not', filter: { type: 'all', key: 'item' } }],
  [{ type: 'eq', key: 'trait.plan', value: 1 }],
)
const range = fc
  .record({ from: fc.nat({ max: 10 }), ticks: fc.integer({ min: 1, max: 40 }) })
  .map(({ from, ticks }) => ({ from: T0 + from * TICK_MS, to: T0 + (from + ticks) * TICK_MS }))
const keys = [
  'item',
  'plan',
  'name',
  'country',
  'data.constructor',
  'user',
  'utm_source',
  'channel',
  'language',
  'event_id',
  'page',
  'person',
  'trait.plan',
  ...properties.map(({ name }) => `property.${name}`),
  'nothing',
  ...rareKeys,
  'data.name',
  'data.utm_source',
]

/** Fields whose names are also keys of `data` in this test: the columns of these names hold the fields only. */
const shadowing = ['name', 'to', 'user_id', 'utm_source', 'channel', 'landing_page']

function naive(generated: World, { from, to, filters: wanted, key, prefix = '' }: ValuesRequest): Map<Value, number> {
  const counts = new Map<Value, number>()
  for (const row of generated.rows) {
    if (row.context.bot || row.event.timestamp < from || row.event.timestamp >= to || !naiveAll(row, wanted)) continue
    const value = naiveValue(row, key!)
    if (value !== undefined && String(value).startsWith(prefix))
      counts.set(value, (counts.get(value) ?? 0) + (row.event.samplerate ?? 1))
  }
  return counts
}

function scan(generated: World, request: ValuesRequest): ReturnType<ValueTotals['finish']> {
  const plan = new ValuePlan(request)
  const totals = new ValueTotals(request)
  for (const chunk of generated.chunks.flat()) if (plan.canMatch(chunk.summary)) totals.add(tallyValues(plan, chunk))
  return totals.finish()
}

it('finds the values that matching events have, of one key and of every key', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      world,
      range,
      filters,
      fc.constantFrom(...keys),
      fc.constantFrom('', 'x', 'b', '1'),
      (generated, times, wanted, key, prefix) => {
        const request = { ...times, filters: wanted, key, prefix, limit: 1_000 }
        const [one] = scan(generated, request)
        expect(new Map(one?.values.map(({ value, events }) => [value, events]))).toEqual(naive(generated, request))
        const every = { ...times, filters: wanted, limit: 1_000 }
        const everyKey = scan(generated, every)
        for (const own of keys)
          if (naive(generated, { ...every, key: own }).size > 0 && own.startsWith('k'))
            expect(everyKey.map(({ key: found }) => found)).toContain(own)
        // Even if no event of a chunk has a field, the `data` key of the same name is written in full.
        for (const { key: found, values } of everyKey)
          if (!shadowing.includes(found))
            expect(new Map(values.map(({ value, events }) => [value, events]))).toEqual(
              naive(generated, { ...every, key: found }),
            )
      },
    ),
    { numRuns: 40 },
  )
})

it('returns the shortest key that reads a column', () => {
  expect(
    [
      'data.item',
      'data.name',
      'name',
      'utm_source',
      'data.utm_source',
      'data.data.x',
      'data.',
      'position',
      'runs',
      'device_id',
    ].map(keyOfColumn),
  ).toEqual([
    'item',
    'data.name',
    'name',
    'utm_source',
    'data.utm_source',
    'data.data.x',
    'data.',
    undefined,
    undefined,
    'device_id',
  ])
})
