import type { SourcePlace } from '@hopper/contracts'
import { cursorOf, cursorParts, foreignCursor } from './cursor.ts'

/** Encodes the place of the last row of a page, together with the query. */
export function sourcesCursor(question: string, { at, value }: SourcePlace): string {
  return cursorOf([question, at, value])
}

/**
 * Decodes the place that a page begins after.
 * @throws HopperError HOP_PARAM_INVALID
 */
export function sourcePlace(cursor: string, question: string): SourcePlace {
  const [fingerprint, at, value] = cursorParts(cursor)
  if (fingerprint !== question || typeof value !== 'string' || (typeof at !== 'string' && typeof at !== 'number'))
    throw foreignCursor('question')
  return { at, value }
}
