import type { EventPlace, ExportedEvent, PersonPlace } from '@hopper/engine'
import { invalidFields } from '../http/checked.ts'

/** Encodes the place of the last person of a page, with the order that it is a place in. */
export function personsCursor(order: string, { value, id }: PersonPlace): string {
  return textOf([order, value, id])
}

/**
 * Decodes the place that a page begins after.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function personPlace(cursor: string, order: string): PersonPlace {
  const [own, value, id] = partsOf(cursor)
  if (own !== order || typeof id !== 'string' || !isOrderValue(value)) throw notOfThis('order')
  return { value, id }
}

/** Encodes the place of the last event of a page of a timeline. */
export function timelineCursor({ event, position, lane, index }: ExportedEvent): string {
  return textOf([event.timestamp, event.seq, position, lane, index])
}

/**
 * Decodes the place that a page of a timeline ends before.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function eventPlace(cursor: string): EventPlace {
  const [time, seq, position, lane, index] = partsOf(cursor).filter((part) => Number.isSafeInteger(part)) as number[]
  if (index === undefined) throw notOfThis('timeline')
  return [time!, seq!, position!, lane!, index]
}

function notOfThis(what: string): Error {
  return invalidFields([
    { field: 'cursor', message: `is none of this ${what}; send \`next\` of the previous page, or leave it out` },
  ])
}

function textOf(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

function partsOf(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

function isOrderValue(value: unknown): value is PersonPlace['value'] {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}
