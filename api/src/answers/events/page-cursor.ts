import type { EventPlace } from '@hopper/engine'
import { invalidFields } from '../../http/checked.ts'
import { cursorOf, cursorParts } from '../cursors/cursor.ts'

/** The start of a page of events: the first place to read in each lane, and the number of events to skip from there. */
export interface PageStart {
  readonly starts: readonly number[]
  readonly skip: number
}

/**
 * Parses `start`: a number of events, or the cursor of the previous page.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function pageStart(start: string | undefined, lanes: number): PageStart {
  if (start === undefined || /^\d+$/.test(start))
    return { starts: new Array<number>(lanes).fill(0), skip: Number(start ?? 0) }
  const starts = placesOfCursor(start, lanes)
  if (!starts) {
    throw invalidFields([
      {
        field: 'start',
        message: 'is not a cursor of this installation; send a number of events, or the cursor of the previous page',
      },
    ])
  }
  return { starts, skip: 0 }
}

/** Parses a cursor: by lane, the place of the next event. Undefined for any other text. */
export function placesOfCursor(cursor: string, lanes: number): readonly number[] | undefined {
  if (!/^c[0-9a-z.]+$/.test(cursor)) return undefined
  const places = cursor
    .slice(1)
    .split('.')
    .map((text) => parseInt(text, 36))
  return places.length === lanes && places.every((place) => Number.isSafeInteger(place)) ? places : undefined
}

/**
 * Parses the `start` of a page of the newest events: the cursor of the page before, none for the first.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function newestStart(start: string | undefined): EventPlace | undefined {
  if (start === undefined) return undefined
  const parts = start.startsWith('t') ? cursorParts(start.slice(1)) : []
  if (parts.length === 5 && parts.every((part) => Number.isSafeInteger(part))) return parts as unknown as EventPlace
  throw invalidFields([
    { field: 'start', message: 'is not a cursor of this order; send `next` of the previous page, or leave it out' },
  ])
}

/** Returns the cursor after an event, in a list with the newest first; `newestStart` parses it. */
export function newestCursor(place: EventPlace): string {
  return `t${cursorOf(place)}`
}

/** Returns the cursor of a page from the next place by lane; `placesOfCursor` parses it. */
export function pageCursor(next: readonly number[]): string {
  return `c${next.map((place) => place.toString(36)).join('.')}`
}
