import { invalidFields } from '../http/checked.ts'

/** The start of a page of events: the first order to read in each lane, and the number of events to skip from there. */
export interface PageStart {
  readonly starts: readonly number[]
  readonly skip: number
}

/**
 * Parses `start`: a number of events, or the lane orders where the previous page ended.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function pageStart(start: string | undefined, lanes: number): PageStart {
  if (start === undefined || /^\d+$/.test(start))
    return { starts: new Array<number>(lanes).fill(0), skip: Number(start ?? 0) }
  const starts = start
    .slice(1)
    .split('.')
    .map((text) => parseInt(text, 36))
  if (starts.length !== lanes || !starts.every((place) => Number.isSafeInteger(place) && place >= 0)) {
    throw invalidFields([
      {
        field: 'start',
        message: 'is not a cursor of this installation; send a number of events, or `next` of the previous page',
      },
    ])
  }
  return { starts, skip: 0 }
}

export function pageCursor(next: readonly number[]): string {
  return `c${next.map((place) => place.toString(36)).join('.')}`
}
