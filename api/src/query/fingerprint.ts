import { createHash } from 'node:crypto'
import type { ChunkSummary } from '@hopper/contracts'

const ORDERED_CHARS_MAX = 65_536

/** The name of a chunk and of what is in it: a span from which a person was removed has another. */
export function chunkName({ date, lane, first_position, last_position, part, parts, rows }: ChunkSummary): string {
  return `${lane}/${date}/${first_position}-${last_position}/${part}-${parts}/${rows}`
}

/** A text that is the same for the same chunks. */
export function fingerprintOf(chunks: readonly ChunkSummary[]): string {
  const hash = createHash('sha256')
  for (const summary of chunks) hash.update(`${chunkName(summary)}\n`)
  return hash.digest('base64')
}

/**
 * A text that is the same for equal values. Of what is large, equal values with another order of keys have another one:
 * to order them takes long.
 */
export function equalityKey(value: unknown): string {
  const json = JSON.stringify(value)
  return json.length <= ORDERED_CHARS_MAX ? canonicalJson(value) : createHash('sha256').update(json).digest('base64')
}

/** JSON with the keys of every object in order, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
