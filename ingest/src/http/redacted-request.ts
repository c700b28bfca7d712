/** A request as a log may show it: no query (it may hold a key), no header, no address of the sender. */
export function redactedRequest(request: { method?: string; url?: string }): {
  method: string | undefined
  path: string | undefined
} {
  return { method: request.method, path: request.url?.split('?', 1)[0] }
}
