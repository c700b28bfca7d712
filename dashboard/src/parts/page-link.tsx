import type { MouseEvent, ReactNode } from 'react'
import { useView } from '../state/use-view.ts'
import { addressOf, type Page } from '../state/view.ts'

/** A link to a page with the same app and range. */
export function PageLink({ page, children }: { page: Page; children: ReactNode }): ReactNode {
  const { view, go } = useView()
  const follow = (event: MouseEvent): void => {
    // leave new tabs and windows to the browser
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    go({ page })
    scrollTo(0, 0)
  }
  return (
    <a href={addressOf({ ...view, page })} aria-current={page === view.page ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  )
}
