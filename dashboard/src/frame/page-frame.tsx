import type { ReactNode } from 'react'
import { StickyBar } from './sticky-bar.tsx'

interface Props {
  /** true if the page answers the question of the bar: range, comparison, filters and unit */
  bar?: boolean
  children: ReactNode
}

/** The content of a page, under the bar if the page has one. */
export function PageFrame({ bar = false, children }: Props): ReactNode {
  return (
    <>
      {bar && <StickyBar />}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  )
}
