import { createHash } from 'node:crypto'
import { isObject, type ChunkSummary } from '@hopper/contracts'

const ORDERED_CHARS_MAX = 65_536

/** Identifies a chunk and its content: removing a person from a span changes its name. */
export function chunkName({ date, lane, first_position, last_position, part, parts, rows }: ChunkSummary): string {
  return `${lane}/${date}/${first_position}-${last_position}/${part}-${parts}/${rows}`
}

/** Returns a hash that is equal for the same chunks. */
export function fingerprintOf(chunks: readonly ChunkSummary[]): string {
  const hash = createHash('sha256')
  for (const summary of chunks) hash.update(`${chunkName(summary)}\n`)
  return hash.digest('base64')
}

/**
 * Returns a text that is equal for equal values. Large values that differ only in the order of keys get different
 * texts, because sorting them is slow.
 */
export function equalityKey(value: unknown): string {
  const json = JSON.stringify(value)
  return json.length <= ORDERED_CHARS_MAX ? canonicalJson(value) : createHash('sha256').update(json).digest('base64')
}

/** Returns JSON with sorted keys in every object, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (!isObject(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
