import type { Event, EventOf } from './event.ts'

/** Returns whether an event is a page view. A URL change that stays on the page (another query or fragment) is none. */
export function isView(event: Event, page: (url: string) => string): boolean {
  return event.type === 'url_change' && event.to !== '' && !staysOnPage(event.from, event.to, page)
}

/** Returns whether two addresses are one page, by the rule `page`; an empty `from` is no page. */
export function staysOnPage(from: string, to: string, page: (url: string) => string): boolean {
  return from === to || (from !== '' && page(from) === page(to))
}

/**
 * Returns whether a URL change measured time on the page that was left. A page of another site is not a page of the
 * app, so its time was not measured.
 */
export function measuresTime(
  { from, to, elapsed_time }: EventOf<'url_change'>,
  page: (url: string) => string,
): boolean {
  if (from === '') return false
  if (elapsed_time > 0) return true
  return !(to !== '' && staysOnPage(from, to, page)) && !isOtherSite(page(from), page(to))
}

/** Returns whether the pages have different hosts. Bare paths have no host, and may belong to any. */
function isOtherSite(from: string, to: string): boolean {
  const [own, other] = [to, from].map((page) => page.slice(0, Math.max(0, page.indexOf('/'))))
  return own !== '' && other !== '' && own !== other
}
