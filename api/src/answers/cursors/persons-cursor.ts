import type { EventPlace, ExportedEvent, PersonPlace } from '@hopper/engine'
import { cursorOf, cursorParts, foreignCursor } from './cursor.ts'

/** Encodes the place of the last person of a page, together with the order of the list. */
export function personsCursor(order: string, { value, id }: PersonPlace): string {
  return cursorOf([order, value, id])
}

/**
 * Decodes the place that a page begins after.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function personPlace(cursor: string, order: string): PersonPlace {
  const [fingerprint, value, id] = cursorParts(cursor)
  if (fingerprint !== order || typeof id !== 'string' || !isOrderValue(value)) throw foreignCursor('order')
  return { value, id }
}

/** Encodes the place of the last event of a page of a timeline. */
export function timelineCursor({ event, position, lane, index }: ExportedEvent): string {
  return cursorOf([event.timestamp, event.seq, position, lane, index])
}

/**
 * Decodes the place that a page of a timeline ends before.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function eventPlace(cursor: string): EventPlace {
  const [time, seq, position, lane, index] = cursorParts(cursor).filter((part) =>
    Number.isSafeInteger(part),
  ) as number[]
  if (index === undefined) throw foreignCursor('timeline')
  return [time!, seq!, position!, lane!, index]
}

function isOrderValue(value: unknown): value is PersonPlace['value'] {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}
