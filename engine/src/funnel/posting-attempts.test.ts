import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ArchivedEvent, FunnelRequest } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { ColumnCache } from '../chunk/column-cache.ts'
import { encodeChunks } from '../chunk/encode-chunk.ts'
import { spansOf } from '../scan/device-cursor.ts'
import { identitiesOf } from '../scan/identities.ts'
import type { LaneInput } from './unit-scan.ts'
import { queryFunnel } from './funnel-scan.ts'

const T0 = 1_767_560_400_000
const names = ['a', 'b', 'c', 'd']
const cover = { app: 'a', date: '2026-01-04', lane: 0, first_position: 0, last_position: 1_000 }

/** Events of some devices: device, time and name of each. */
const events = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 20 }), fc.constantFrom(...names)), { minLength: 20, maxLength: 80, size: 'max' })

const query = fc.record({
  steps: fc.shuffledSubarray(names, { minLength: 1 }),
  from: fc.nat({ max: 8 }),
  length: fc.integer({ min: 5, max: 30 }),
  window: fc.integer({ min: 1, max: 10 }),
  completeTo: fc.nat({ max: 40 }),
  filtered: fc.boolean(),
  breakdown: fc.boolean(),
  detailed: fc.boolean(),
})

function rowsOf(list: readonly (readonly [number, number, string])[]): ArchivedEvent[] {
  return list.map(([device, at, name], i) => ({
    event: { event_id: `e-${i}`, timestamp: T0 + at, seq: i, type: 'custom', name, data: { plan: device % 3 } },
    device_id: `device-${device}`, user: device < 2 ? 'both' : '', context: { device: 'server', browser: '', os: '', country: device % 2 ? 'DE' : 'FR' },
    received_at: T0, position: i, index: 0,
  }))
}

it('an answer out of the rows of each step is the one out of all rows', { timeout: 120_000 }, () => {
  const identities = identitiesOf('a', [{ device_id: 'device-0', users: ['both'] }, { device_id: 'device-1', users: ['both'] }])
  let asked = 0
  class Watched extends ColumnCache {
    override get<T extends object>(key: string, decode: () => { readonly value: T; readonly bytes: number }): T {
      if (key.includes('/postings/')) asked++
      return super.get(key, decode)
    }
  }
  fc.assert(
    fc.property(events, fc.array(query, { minLength: 6, maxLength: 6 }), fc.constantFrom(60, 7), (list, queries, rowsMax) => {
      const encoded = encodeChunks(rowsOf(list), cover, rowsMax)
      const laneOf = (chunks: readonly Chunk[]): LaneInput[] => [{ lane: 0, spans: spansOf(chunks), identities }]
      const cache = new Watched(1e9)
      const kept = encoded.map((chunk) => Chunk.of(chunk, cache))
      for (const chunk of kept) chunk.values('name')
      for (const { steps, from, length, window, completeTo, filtered, breakdown, detailed } of queries) {
        const request: FunnelRequest = {
          from: T0 + from, to: T0 + from + length, window_ms: window,
          steps: steps.map((name) => ({ name, filters: [{ type: 'eq', key: 'name', value: name }] })),
          ...(filtered ? { filters: [{ type: 'eq', key: 'data.plan', value: 1 }] } : {}),
          ...(breakdown ? { breakdown: 'country' } : {}),
          ...(detailed ? { trend: 'day', people: { step: 1, outcome: 'reached', limit: 100 } } : {}),
        }
        const context = { timezone: 'UTC', completeTo: T0 + completeTo }
        const answer = (chunks: readonly Chunk[]): unknown => {
          const { people, ...rest } = queryFunnel(request, context, laneOf(chunks))
          return { ...rest, people: [...(people ?? [])].sort() }
        }
        expect(answer(kept)).toEqual(answer(encoded.map((chunk) => Chunk.of(chunk))))
      }
    }),
    { numRuns: 120 },
  )
  expect(asked).toBeGreaterThan(300)
})
