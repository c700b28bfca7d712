import { describe, expect, it } from 'vitest'
import type { TimelineEvent } from '../../format/event-text.ts'
import { visitsOf } from './visits.ts'

const MINUTE_MS = 60_000
const event = (minute: number, session_id?: string): TimelineEvent => ({
  event_id: String(minute),
  type: 'custom',
  timestamp: minute * MINUTE_MS,
  ...(session_id === undefined ? {} : { session_id }),
})

describe('visitsOf', () => {
  it('splits by session, else by pauses of half an hour, and returns the pauses between', () => {
    const visits = visitsOf([event(200, 'b'), event(199, 'b'), event(198, 'a'), event(100), event(71), event(30)])
    expect(visits.map(({ start, end, events, pauseMs }) => [start, end, events.length, pauseMs])).toEqual(
      [
        [199, 200, 2, 1],
        [198, 198, 1, 98],
        [71, 100, 2, 41],
        [30, 30, 1, undefined],
      ].map(([start, end, events, pause]) => [
        start! * MINUTE_MS,
        end! * MINUTE_MS,
        events,
        pause === undefined ? undefined : pause * MINUTE_MS,
      ]),
    )
  })

  it('keeps a session together however long its pauses are', () => {
    expect(visitsOf([event(500, 'a'), event(1, 'a')])).toHaveLength(1)
    expect(visitsOf([])).toEqual([])
  })
})
