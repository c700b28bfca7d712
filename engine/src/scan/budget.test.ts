import { expect, it } from 'vitest'
import type { ArchivedEvent, FunnelRequest } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import { T0 } from '../contract/random-world.ts'
import { queryFunnel } from '../funnel/scan/funnel-scan.ts'
import { timeBudget } from './budget.ts'
import { spansOf } from './device-cursor.ts'
import { identitiesOf } from './identities.ts'

const rows = Array.from({ length: 3_000 }, (_, i): ArchivedEvent => ({
  event: {
    event_id: `e${i}`,
    timestamp: T0 + i,
    seq: i,
    type: 'custom',
    name: i % 2 === 0 ? 'a' : 'b',
    data: { text: `${'a'.repeat(1_500)}${i}` },
  },
  device_id: 'd',
  user: '',
  context: { device: 'server', browser: '', os: '' },
  received_at: T0,
  position: i,
  index: 0,
}))
const chunks = encodeChunks(rows, {
  app: 'a',
  date: '2026-01-04',
  lane: 0,
  first_position: 0,
  last_position: 2_999,
}).map((chunk) => Chunk.of(chunk))
const context = { timezone: 'UTC', completeTo: T0 }
const lanes = [{ lane: 0, spans: spansOf(chunks), identities: identitiesOf('a', []) }]
const request: FunnelRequest = {
  from: T0,
  to: T0 + 5_000,
  steps: [{ name: '1', filters: [{ type: 'regex', key: 'text', value: '(a+)+$' }] }],
}

it('a query ends soon after its time limit, even within a chunk of expensive values', () => {
  const start = performance.now()
  expect(() => queryFunnel(request, context, lanes, timeBudget(20))).toThrow(
    expect.objectContaining({ code: 'HOP_QUERY_TIMEOUT' }),
  )
  expect(performance.now() - start).toBeLessThan(5_000)
})

it('a query ends when the client disconnects', () => {
  expect(() => queryFunnel(request, context, lanes, timeBudget(60_000, { aborted: true }))).toThrow(
    expect.objectContaining({ code: 'HOP_QUERY_TIMEOUT' }),
  )
})
