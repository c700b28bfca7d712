import type { PersonPlace } from '@hopper/engine'
import { invalidFields } from '../http/checked.ts'

/** Encodes the place of the last person of a page, with the order that it is a place in. */
export function personsCursor(order: string, { value, id }: PersonPlace): string {
  return Buffer.from(JSON.stringify([order, value, id])).toString('base64url')
}

/**
 * Decodes the place that a page begins after.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function personPlace(cursor: string, order: string): PersonPlace {
  const [own, value, id] = partsOf(cursor)
  if (own !== order || typeof id !== 'string' || !isOrderValue(value))
    throw invalidFields([
      { field: 'cursor', message: 'is none of this order; send `next` of the previous page, or leave it out' },
    ])
  return { value, id }
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
