/**
 * A URL as a page is stored and shown: host and path (`shop.example/products`), a bare path as it is. Query and fragment are dropped
 * except the parameters that the app keeps, which stay in the order of their names. A trailing slash is dropped, but not from the root of a site.
 */
export function pageOf(url: string, keepParameters: readonly string[] = []): string {
  if (url === '') return ''
  const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(url)
  let parsed: URL
  try {
    parsed = new URL(absolute ? url : `http://h${url.startsWith('/') ? '' : '/'}${url}`)
  } catch {
    return url.split(/[?#]/, 1)[0]!
  }
  const path = parsed.pathname.length > 1 && parsed.pathname.endsWith('/') ? parsed.pathname.slice(0, -1) : parsed.pathname
  const kept = keepParameters.filter((name) => parsed.searchParams.has(name)).sort()
  const query = kept.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(parsed.searchParams.get(name)!)}`).join('&')
  return `${absolute ? parsed.host : ''}${path}${query ? `?${query}` : ''}`
}
