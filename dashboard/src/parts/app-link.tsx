import type { ReactNode } from 'react'
import { Link } from '@tanstack/react-router'
import { useShared } from '../api/session.tsx'
import { sharedSearch, withSearch, type Search } from '../state/search.ts'
import type { SearchChange } from '../state/use-search.ts'

interface Props {
  /** the path below the app, such as `funnels/checkout` */
  to: string
  app: string
  /** parameters in addition to the range, comparison, filters and unit, which are kept */
  search?: SearchChange
  className?: string
  label?: string
  /** true if the link is the current page also below its path */
  fuzzy?: boolean
  children: ReactNode
}

/**
 * A link to a page of an app that keeps the question: range, comparison, filters and unit. Readers of a shared view see
 * its text only, since they see no other page.
 */
export function AppLink({ to, app, search, className, label, fuzzy = false, children }: Props): ReactNode {
  if (useShared()) return <span>{children}</span>
  return (
    <Link
      to={pathOf(app, to)}
      search={(before: Search) => withSearch(sharedSearch(before), search ?? {})}
      activeOptions={{ exact: !fuzzy, includeSearch: false }}
      {...(className === undefined ? {} : { className })}
      {...(label === undefined ? {} : { 'aria-label': label })}
    >
      {children}
    </Link>
  )
}

/** Returns the path of a page of an app; ids may have any characters. */
export function pathOf(app: string, to: string): string {
  return `/a/${encodeURIComponent(app)}/${to}`
}
