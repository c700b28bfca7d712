import { invalidFields } from '../http/checked.ts'

/** Where a page of events begins: so many events passed over from the order of each lane on. */
export interface PageStart {
  readonly starts: readonly number[]
  readonly skip: number
}

/**
 * What `start` means: a number of events, or the orders of the lanes that a page before ended at.
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
        message: 'is no cursor of this installation; send a number of events, or `next` of the page before',
      },
    ])
  }
  return { starts, skip: 0 }
}

export function pageCursor(next: readonly number[]): string {
  return `c${next.map((place) => place.toString(36)).join('.')}`
}
