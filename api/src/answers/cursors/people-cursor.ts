import type { PeoplePlace } from '@hopper/contracts'
import { cursorOf, cursorParts, foreignCursor } from './cursor.ts'

/** Encodes the place of the last row of a page of people. */
export function peopleCursor({ entered_at, id }: PeoplePlace): string {
  return cursorOf([entered_at, id])
}

/**
 * Decodes the place that a page of people begins after.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function peoplePlace(cursor: string): PeoplePlace {
  const [entered, id, ...rest] = cursorParts(cursor)
  if (!Number.isSafeInteger(entered) || typeof id !== 'string' || rest.length > 0) throw foreignCursor('list of people')
  return { entered_at: entered as number, id }
}
