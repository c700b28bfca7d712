import { expect, it } from 'vitest'
import type { ArchivedEvent } from '@hopper/contracts'
import { Chunk } from '../../chunk/chunk.ts'
import { encodeChunks } from '../../chunk/encoding/encode-chunk.ts'
import { T0 } from '../../contract/random-world.ts'
import { spansOf } from '../../scan/device-cursor.ts'
import { identitiesOf } from '../../scan/identities.ts'
import { queryFunnel } from '../scan/funnel-scan.ts'
import { stepsOfFunnel } from './steps-of-funnel.ts'

it('a configured funnel counts the events that entered its stages', () => {
  const entered = (device_id: string, position: number, stage: number, funnel = 'checkout'): ArchivedEvent => ({
    event: {
      event_id: `e${position}`,
      timestamp: T0 + position,
      seq: position,
      type: 'funnel_change',
      action: 'onUrlChange',
      funnel,
      entered: stage,
      elapsed_time: 0,
    },
    device_id,
    user: '',
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    received_at: T0 + position,
    position,
    index: 0,
  })
  const rows = [
    entered('x', 0, 1),
    entered('x', 1, 3),
    entered('y', 2, 1),
    entered('y', 3, 3, 'other'),
    entered('z', 4, 3),
  ]
  const chunks = encodeChunks(rows, { app: 'a', date: '2026-01-04', lane: 0, first_position: 0, last_position: 4 }).map(
    (chunk) => Chunk.of(chunk),
  )
  const steps = stepsOfFunnel(
    {
      id: 'checkout',
      name: 'Checkout',
      stages: [
        { id: 1, name: 'home', url: '/' },
        { id: 3, name: 'cart', click: '#add' },
      ],
    },
    { keep_parameters: [] },
  )
  const lanes = [{ lane: 0, spans: spansOf(chunks), identities: identitiesOf('a', []) }]
  const answer = queryFunnel(
    { from: T0, to: T0 + 10, steps, people: { step: 2, outcome: 'dropped', limit: 10 } },
    { timezone: 'UTC', completeTo: T0 + 30 * 86_400_000 },
    lanes,
  )
  expect(answer.steps.map(({ name, count }) => [name, count])).toEqual([
    ['home', 2],
    ['cart', 1],
  ])
  expect(answer.steps[1]!.causes.never).toBe(1)
  expect(answer.people).toEqual(['d:y'])
})

it('a configured funnel counts events that match its stages, even from before it was created', () => {
  let position = 0
  const eventOf = (device_id: string, fields: object): ArchivedEvent => ({
    event: {
      event_id: `e${position}`,
      timestamp: T0 + position,
      seq: position,
      elapsed_time: 0,
      ...fields,
    } as ArchivedEvent['event'],
    device_id,
    user: '',
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    received_at: T0 + position,
    position: position++,
    index: 0,
  })
  const to = (url: string): object => ({ type: 'url_change', from: '', to: url })
  const click = (target: string): object => ({ type: 'click', target, current_url: '' })
  const entered = (stage: number): object => ({
    type: 'funnel_change',
    action: 'onUrlChange',
    funnel: 'checkout',
    entered: stage,
  })
  const rows = [
    // before the funnel was created, after that (entering each stage twice), on a page of a later stage, elsewhere, and
    // with `data` that looks like stages
    eventOf('x', to('https://s.example/products/?a=1')),
    eventOf('x', click("//*[@id='add']/span[1]")),
    eventOf('x', to('/thanks#end')),
    eventOf('y', to('/products')),
    eventOf('y', entered(1)),
    eventOf('y', entered(2)),
    eventOf('y', click("//*[@id='add']")),
    eventOf('y', to('/thanks')),
    eventOf('y', entered(3)),
    eventOf('z', to('/products/sold-out')),
    eventOf('z', click("//*[@id='add']")),
    eventOf('w', to('/other')),
    eventOf('w', click("//*[@id='addition']")),
    eventOf('v', { type: 'custom', name: 'x', data: { to: '/products', target: "//*[@id='add']" } }),
  ]
  const chunks = encodeChunks(rows, {
    app: 'a',
    date: '2026-01-04',
    lane: 0,
    first_position: 0,
    last_position: position,
  }).map((chunk) => Chunk.of(chunk))
  const stages = [
    { id: 1, name: 'products', url: '/products*' },
    { id: 2, name: 'add', click: '#add' },
    { id: 4, name: 'sold out', url: '/products/sold-out' },
    { id: 3, name: 'thanks', url: '/thanks' },
  ]
  const lanes = [{ lane: 0, spans: spansOf(chunks), identities: identitiesOf('a', []) }]
  const counted = (...ids: number[]): number[] => {
    const steps = stepsOfFunnel({ id: 'checkout', name: 'Checkout', stages }, { keep_parameters: [] })
    const chosen = ids.map((id) => steps[stages.findIndex((stage) => stage.id === id)]!)
    const answer = queryFunnel(
      { from: T0, to: T0 + 100, steps: chosen },
      { timezone: 'UTC', completeTo: T0 + 30 * 86_400_000 },
      lanes,
    )
    return answer.steps.map(({ count }) => count)
  }
  expect(counted(1, 2, 3)).toEqual([2, 2, 2])
  expect(counted(4, 2)).toEqual([1, 1])
  expect(counted(2)).toEqual([3])
})
