import type { CounterFold } from './fold.ts'
import { staysOnPage } from './page-view.ts'
import { weightedMs, weightOf } from './weight.ts'

/**
 * Views of the page that was entered, and time on the page that was left when the tracker knows it. A URL change that
 * stays on the page is no view, and its time belongs to the visit that continues. A page of another site is no page of
 * the app: nobody measured the time on it.
 */
export const pageViewsByDate: CounterFold = {
  table: 'page_views_by_date',
  fold: ({ event, page }, add) => {
    if (event.type !== 'url_change') return
    const { from, to } = event
    const weight = weightOf(event)
    const elapsed = weightedMs(event.elapsed_time, weight)
    const stays = to !== '' && staysOnPage(from, to, page)
    if (to !== '' && !stays) add([page(to)], [weight, 0, 0])
    if (from === '' || (elapsed === 0 && (stays || isOtherSite(page(from), page(to))))) return
    add([page(from)], [0, elapsed, stays ? 0 : weight])
  },
}

/** Returns whether the pages have different hosts. Bare paths have no host, and may belong to any. */
function isOtherSite(from: string, to: string): boolean {
  const [own, other] = [to, from].map((page) => page.slice(0, Math.max(0, page.indexOf('/'))))
  return own !== '' && other !== '' && own !== other
}
