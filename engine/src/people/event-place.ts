import type { Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'

/** The place of an event in the order of a person's events: by time, `seq`, then place in the log. */
export type EventPlace = readonly [time: number, seq: number, position: number, lane: number, index: number]

/** A value, and the event that it comes from. */
export interface PlacedValue {
  readonly value: Value
  readonly place: EventPlace
}

/** The columns that contain the places of a chunk's events. */
export const orderColumns = ['timestamp', 'seq', 'position', 'index'] as const

/** Returns a negative number if `a` is before `b`, a positive one if it is after, 0 for the same event. */
export function comparePlaces(a: EventPlace, b: EventPlace): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

/** Returns the value of the later event; if only one is defined, that one. */
export function laterOf(a: PlacedValue | undefined, b: PlacedValue | undefined): PlacedValue | undefined {
  if (!a || !b) return a ?? b
  return comparePlaces(a.place, b.place) < 0 ? b : a
}

/** Returns the value of the earlier event; if only one is defined, that one. */
export function earlierOf(a: PlacedValue | undefined, b: PlacedValue | undefined): PlacedValue | undefined {
  if (!a || !b) return a ?? b
  return comparePlaces(a.place, b.place) < 0 ? a : b
}

/** Creates a reader of the places of a chunk's rows. Needs `orderColumns` and `runs`. */
export function placeReader(chunk: Chunk): (row: number) => EventPlace {
  const [seq, position, index] = [chunk.numbers('seq'), chunk.numbers('position'), chunk.numbers('index')]
  const times = chunk.times()
  const { lane } = chunk.summary
  return (row) => [times[row]!, seq[row]!, position[row]!, lane, index[row]!]
}
