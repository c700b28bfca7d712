/** Paths in which clients of other products put the write key. */
const keyInPath = /^(\/v1\/projects|\/array)\/[^/]+/

/**
 * Reduces a request to what may be logged: no key, no query (it may contain one), no header, no address of the sender.
 */
export function redactedRequest(request: { method?: string; url?: string }): {
  method: string | undefined
  path: string | undefined
} {
  return { method: request.method, path: request.url?.split('?', 1)[0]!.replace(keyInPath, '$1/…') }
}
