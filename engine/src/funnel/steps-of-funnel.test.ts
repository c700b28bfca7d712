import { expect, it } from 'vitest'
import type { ArchivedEvent } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encode-chunk.ts'
import { T0 } from '../contract/random-world.ts'
import { spansOf } from '../scan/device-cursor.ts'
import { identitiesOf } from '../scan/identities.ts'
import { queryFunnel } from './funnel-scan.ts'
import { stepsOfFunnel } from './steps-of-funnel.ts'

it('a configured funnel is asked by the events that entered its stages', () => {
  const entered = (device_id: string, position: number, stage: number, funnel = 'checkout'): ArchivedEvent => ({
    event: { event_id: `e${position}`, timestamp: T0 + position, seq: position, type: 'funnel_change', action: 'onUrlChange', funnel, entered: stage, elapsed_time: 0 },
    device_id, user: '', context: { device: 'desktop', browser: 'Firefox', os: 'Linux' }, received_at: T0 + position, position, index: 0,
  })
  const rows = [entered('x', 0, 1), entered('x', 1, 3), entered('y', 2, 1), entered('y', 3, 3, 'other'), entered('z', 4, 3)]
  const chunks = encodeChunks(rows, { app: 'a', date: '2026-01-04', lane: 0, first_position: 0, last_position: 4 }).map((chunk) => Chunk.of(chunk))
  const steps = stepsOfFunnel({ id: 'checkout', name: 'Checkout', stages: [{ id: 1, name: 'home', url: '/' }, { id: 3, name: 'cart', click: '#add' }] })
  const lanes = [{ lane: 0, spans: spansOf(chunks), identities: identitiesOf('a', []) }]
  const answer = queryFunnel({ from: T0, to: T0 + 10, steps, people: { step: 2, outcome: 'dropped', limit: 10 } }, { timezone: 'UTC', completeTo: T0 + 30 * 86_400_000 }, lanes)
  expect(answer.steps.map(({ name, count }) => [name, count])).toEqual([['home', 2], ['cart', 1]])
  expect(answer.steps[1]!.causes.never).toBe(1)
  expect(answer.people).toEqual(['d:y'])
})
