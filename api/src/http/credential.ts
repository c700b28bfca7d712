import type { Call } from './call.ts'

/**
 * Returns whether the parameter `key` is the caller's access key. If the call has a parameter of that name too, only a
 * value in the format of an access key counts as one.
 */
export function isCredential({ query }: Pick<Call, 'query'>, key: unknown): boolean {
  const hasOwnKey = query !== undefined && Object.hasOwn(query.properties, 'key')
  return !hasOwnKey || (typeof key === 'string' && /^h[wra]_/.test(key))
}
