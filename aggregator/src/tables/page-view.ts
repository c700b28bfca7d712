import type { Event } from '@hopper/contracts'

/** Returns whether an event is a page view. A URL change that stays on the page (another query or fragment) is none. */
export function isView(event: Event, page: (url: string) => string): boolean {
  return event.type === 'url_change' && event.to !== '' && !staysOnPage(event.from, event.to, page)
}

export function staysOnPage(from: string, to: string, page: (url: string) => string): boolean {
  return from === to || (from !== '' && page(from) === page(to))
}
