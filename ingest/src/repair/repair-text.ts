import { derivedId } from '../batch/derived-id.ts'

/** Replaces an id that cannot be stored by its hash: a shortened or repaired id could collide with another one. */
export function hashedId(id: string): string {
  return derivedId('an id that cannot be stored', id)
}
