import type { Call } from './call.ts'

/**
 * Whether the parameter `key` of a request is the key of whoever asks. Where a call has a parameter of that name too,
 * only what has the form of an access key is one.
 */
export function isCredential({ query }: Pick<Call, 'query'>, key: unknown): boolean {
  const hasOwnKey = query !== undefined && Object.hasOwn(query.properties, 'key')
  return !hasOwnKey || (typeof key === 'string' && /^h[wra]_/.test(key))
}
