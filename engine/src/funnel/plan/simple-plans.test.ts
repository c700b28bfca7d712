import { expect, it } from 'vitest'
import type { ArchivedEvent, FunnelRequest, Value } from '@hopper/contracts'
import { Chunk } from '../../chunk/chunk.ts'
import { encodeChunks } from '../../chunk/encoding/encode-chunk.ts'
import { spansOf } from '../../scan/device-cursor.ts'
import { identitiesOf } from '../../scan/identities.ts'
import { queryFunnel } from '../scan/funnel-scan.ts'

const T0 = 1_767_560_400_000
const context = { timezone: 'UTC', completeTo: T0 + 1_000_000 }

function row(device_id: string, at: number, name: string, data: Record<string, Value> = {}): ArchivedEvent {
  return {
    event: { event_id: `${device_id}-${at}`, timestamp: T0 + at, seq: at, type: 'custom', name, data },
    device_id,
    user: '',
    context: { device: 'server', browser: '', os: '' },
    received_at: T0,
    position: at,
    index: 0,
  }
}

/** Runs a funnel over one span and records the fetched columns in `loaded`. */
function run(
  rows: readonly ArchivedEvent[],
  request: Omit<FunnelRequest, 'from' | 'to'>,
): { result: ReturnType<typeof queryFunnel>; loaded: Set<string> } {
  const loaded = new Set<string>()
  const chunks = encodeChunks(rows, {
    app: 'a',
    date: '2026-01-04',
    lane: 0,
    first_position: 0,
    last_position: 1_000,
  }).map(
    ({ summary, columns }) =>
      new Chunk(summary, (column) => {
        loaded.add(column)
        return columns.get(column)
      }),
  )
  const lanes = [{ lane: 0, spans: spansOf(chunks), identities: identitiesOf('a', []) }]
  return { result: queryFunnel({ from: T0, to: T0 + 500, window_ms: 1_000, ...request }, context, lanes), loaded }
}

const step = (name: string): FunnelRequest['steps'][number] => ({
  name,
  filters: [{ type: 'eq', key: 'name', value: name }],
})

it('a step does not count as seen because the step 32 before it was', () => {
  const steps = Array.from({ length: 40 }, (_, i) => step(`s${i + 1}`))
  const first32 = (device: string): ArchivedEvent[] =>
    Array.from({ length: 32 }, (_, i) => row(device, 10 + i, `s${i + 1}`))
  const { result } = run(
    [...first32('never'), row('before', 5, 's33'), ...first32('before'), ...first32('on'), row('on', 100, 's33')],
    { steps },
  )
  expect(result.steps[31]!.count).toBe(3)
  expect(result.steps[32]).toMatchObject({ count: 1, dropped: 2, causes: { before: 1, never: 1 } })
})

it('finds a later attempt that gets further, even long after the first', () => {
  const steps = ['a', 'b', 'c'].map(step)
  const early = Array.from({ length: 300 }, (_, i) => row('d', i, i % 2 === 0 ? 'a' : 'b'))
  const { result } = run(
    [
      ...early,
      row('d', 400, 'a'),
      row('d', 450, 'b'),
      row('d', 1_399, 'c'),
      row('e', 0, 'a'),
      row('e', 1, 'b'),
      row('e', 1_002, 'c'),
    ],
    { steps },
  )
  expect(result.steps.map((each) => each.count)).toEqual([2, 2, 1])
  // the first attempt that reaches the last step within its window began at 400
  expect(result.overall.time.median_ms).toBe(999)
  expect(result.steps[2]!.causes.late).toBe(1)
})

it('an event of the first step after the range does not affect attempts that began within it', () => {
  const { result } = run([row('d', 0, 'a'), row('d', 450, 'a'), row('d', 600, 'a'), row('d', 1_200, 'b')], {
    steps: ['a', 'b'].map(step),
  })
  expect(result.steps.map((each) => each.count)).toEqual([1, 1])
  expect(result.overall.time.median_ms).toBe(750)
})

it('filters devices before it reads other columns', () => {
  const rows = Array.from({ length: 40 }, (_, i) => row(`device-${i}`, i, 'a', { shop: `shop-${i}` }))
  const nowhere = run(rows, { steps: [step('a')], filters: [{ type: 'eq', key: 'shop', value: 'nowhere' }] })
  expect(nowhere.result.total).toBe(0)
  expect([...nowhere.loaded].sort()).toEqual(['data.shop', 'runs'])
  const one = run(rows, { steps: [step('a')], filters: [{ type: 'eq', key: 'shop', value: 'shop-7' }] })
  expect(one.result.total).toBe(1)
  expect([...one.loaded].sort()).toEqual(['data.shop', 'name', 'runs', 'timestamp'])
})
