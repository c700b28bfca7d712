import { derivedId } from '../batch/derived-id.ts'

/** The id that stands for one that cannot be stored: cut or mended it would be the same as others. */
export function hashedId(id: string): string {
  return derivedId('an id that cannot be stored', id)
}
