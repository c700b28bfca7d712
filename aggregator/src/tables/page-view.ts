import type { Event } from '@hopper/contracts'

/** Whether an event is a view of a page: a URL change that stays on the page (another query or fragment) is none. */
export function isView(event: Event, page: (url: string) => string): boolean {
  return event.type === 'url_change' && event.to !== '' && !staysOnPage(event.from, event.to, page)
}

export function staysOnPage(from: string, to: string, page: (url: string) => string): boolean {
  return from === to || (from !== '' && page(from) === page(to))
}
