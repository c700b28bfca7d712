/** Reduces a request to what may be logged: no query (it may contain a key), no header, no address of the sender. */
export function redactedRequest(request: { method?: string; url?: string }): {
  method: string | undefined
  path: string | undefined
} {
  return { method: request.method, path: request.url?.split('?', 1)[0] }
}
