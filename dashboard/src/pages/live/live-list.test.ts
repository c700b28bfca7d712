import { expect, it } from 'vitest'
import { emptyList, isCut, joined, KEPT_CHARS, KEPT_EVENTS, withArrived, type LiveEvent } from './live-list.ts'

function event(position: number, more: object = {}): LiveEvent {
  return {
    event_id: `e${position}`,
    type: 'custom',
    timestamp: position,
    device_id: 'd',
    fate: 'accepted',
    context: {},
    lane: 0,
    position,
    index: 0,
    ...more,
  }
}
const text = (position: number, more?: object): string => JSON.stringify(event(position, more))
const positions = (events: readonly LiveEvent[]): number[] => events.map(({ position }) => position)

it('arrived events come before the stored ones, each place in the log once', () => {
  const arrived = withArrived(withArrived(emptyList, [text(5), text(6)]), [text(7)])
  expect(positions(joined(arrived, [event(6), event(4), event(4), event(2)]))).toEqual([7, 6, 5, 4, 2])
  const elsewhere = event(7, { lane: 1 })
  expect(joined(arrived, [elsewhere])).toContainEqual(elsewhere)
})

it('does not show what is held back, though a page that was read later has it', () => {
  const held = withArrived(emptyList, [text(5)])
  const all = withArrived(held, [text(6)])
  expect(positions(joined(held, [event(6), event(5), event(4)], all))).toEqual([5, 4])
})

it('keeps a bounded number of events', () => {
  const list = withArrived(
    emptyList,
    Array.from({ length: KEPT_EVENTS + 5 }, (_, at) => text(at)),
  )
  expect([list.events.length, list.received, isCut(list)]).toEqual([KEPT_EVENTS, KEPT_EVENTS + 5, true])
  expect(list.events[0]!.event.position).toBe(KEPT_EVENTS + 4)
  // stored events would follow a gap
  expect(joined(list, [event(100_000)])).toHaveLength(KEPT_EVENTS)
})

it('keeps a bounded number of characters, but always the newest event', () => {
  const large = { data: { text: 'x'.repeat(KEPT_CHARS / 4) } }
  const list = withArrived(
    emptyList,
    [0, 1, 2, 3, 4].map((at) => text(at, large)),
  )
  expect(list.chars).toBeLessThanOrEqual(KEPT_CHARS)
  expect(positions(joined(list, []))).toEqual([4, 3, 2])
  const huge = withArrived(list, [text(9, { data: { text: 'x'.repeat(KEPT_CHARS) } })])
  expect(positions(joined(huge, []))).toEqual([9])
})
