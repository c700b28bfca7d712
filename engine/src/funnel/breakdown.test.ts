import { dropCauses, queryLimits, type ArchivedEvent, type FunnelRequest } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import { spansOf } from '../scan/device-cursor.ts'
import { identitiesOf } from '../scan/identities.ts'
import { queryDistinct } from '../units/distinct-scan.ts'
import { FunnelScan, mergeFunnelPartials, queryFunnel } from './scan/funnel-scan.ts'

const VALUES = 2_000
const T0 = Date.UTC(2026, 0, 5)
const context = { timezone: 'UTC', completeTo: T0 + 86_400_000 * 30 }
const identities = identitiesOf('a', [])

/** Creates a lane in which value v has 1 + v % 4 devices that take the first step, one of which takes the second. */
function lane(number: number): { lane: number; spans: ReturnType<typeof spansOf>; identities: typeof identities } {
  const rows: ArchivedEvent[] = []
  const add = (device_id: string, name: string, value: number, after: number): void => {
    const position = rows.length
    rows.push({
      event: {
        type: 'custom',
        name,
        event_id: `${number}-${position}`,
        timestamp: T0 + after,
        seq: 0,
        data: { item: `v${value}` },
      },
      device_id,
      user: '',
      context: { device: 'desktop', browser: 'B', os: 'O' },
      received_at: T0,
      position,
      index: 0,
    })
  }
  for (let value = 0; value < VALUES; value++) {
    for (let i = 0; i <= value % 4; i++) {
      add(`${number}-${value}-${i}`, 'seen', value, 0)
      if (i === 0) add(`${number}-${value}-${i}`, 'bought', value, 1_000)
    }
  }
  const cover = { app: 'a', date: '2026-01-05', lane: number, first_position: 0, last_position: rows.length - 1 }
  return { lane: number, spans: spansOf(encodeChunks(rows, cover).map((chunk) => Chunk.of(chunk))), identities }
}

const step = (name: string) => ({ name, filters: [{ type: 'eq' as const, key: 'name', value: name }] })
const request: FunnelRequest = {
  from: T0,
  to: T0 + 86_400_000,
  steps: [step('seen'), step('bought')],
  breakdown: 'item',
}
const lanes = [lane(0), lane(1)]

it('a breakdown of 2,000 values lists the largest and folds the rest into one that adds up', () => {
  const { breakdown, total, steps, truncated } = queryFunnel(request, context, lanes)
  expect(truncated).toBe(true)
  expect(breakdown).toHaveLength(queryLimits.breakdownValuesMax + 1)
  const rest = breakdown!.at(-1)!
  expect(rest).toMatchObject({ value: 'other', other: true })
  expect(breakdown!.slice(0, -1).every(({ total, other }) => other === undefined && total >= 6)).toBe(true)
  expect(breakdown!.reduce((sum, row) => sum + row.total, 0)).toBe(total)
  expect(rest.total).toBe((VALUES / 4) * 2 * (1 + 2))
  for (const step of [0, 1]) {
    expect(breakdown!.reduce((sum, row) => sum + row.steps[step]!.count, 0)).toBe(steps[step]!.count)
    for (const cause of dropCauses)
      expect(breakdown!.reduce((sum, row) => sum + row.steps[step]!.causes[cause], 0)).toBe(steps[step]!.causes[cause])
  }
  expect(rest.steps[1]).toMatchObject({ count: 2_000, time: { median_ms: 1_000, histogram: [{ count: 2_000 }] } })
})

it('is the same if threads scan the lanes', () => {
  const partials = lanes.map((each) => {
    const scan = new FunnelScan(request, context)
    scan.scanLane(each)
    return structuredClone(scan.partial())
  })
  expect(mergeFunnelPartials(request, context, partials)).toEqual(queryFunnel(request, context, lanes))
})

it('reports a truncated list of people', () => {
  const people = (limit: number) =>
    queryFunnel(
      { ...request, breakdown: undefined as never, people: { step: 2, outcome: 'reached', limit } },
      context,
      lanes,
    )
  expect(people(10)).toMatchObject({ truncated: true })
  expect(people(4_000)).not.toHaveProperty('truncated')
  expect(people(4_000).people).toHaveLength(4_000)
})

it('distinct units by 2,000 values also list the largest and fold the rest', () => {
  const { count, breakdown, truncated } = queryDistinct(
    { from: T0, to: T0 + 86_400_000, filters: [], breakdown: 'item' },
    lanes,
  )
  expect([breakdown!.length, breakdown!.at(-1), truncated]).toEqual([
    queryLimits.breakdownValuesMax + 1,
    { value: 'other', other: true, count: 3_000 },
    true,
  ])
  expect(breakdown!.reduce((sum, row) => sum + row.count, 0)).toBe(count)
})
