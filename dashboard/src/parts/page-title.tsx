import { useEffect, useRef, type ReactNode } from 'react'
import { words } from '../words.ts'

/** false until the first page has been shown: only a move takes the focus, not a load */
let hasShownPage = false

/** The heading of a page: names the tab, and takes the focus when one moves to the page. */
export function PageTitle({ children, app }: { children: string; app?: string }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = [children, app, words.product].filter((part) => part !== undefined).join(' · ')
  }, [children, app])
  useEffect(() => {
    if (hasShownPage) heading.current?.focus({ preventScroll: true })
    hasShownPage = true
  }, [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      <bdi>{children}</bdi>
    </h1>
  )
}
