import { Suspense, useEffect, type ReactNode } from 'react'
import { Outlet, getRouteApi } from '@tanstack/react-router'
import type { OpenedLink } from '@hopper/contracts'
import { useChanges } from '../api/changes.ts'
import { useSession } from '../api/session.tsx'
import { formatDates, formatInstant } from '../format/times.ts'
import { OutageBanner } from '../frame/outage-banner.tsx'
import { Logo } from '../parts/logo.tsx'
import { chipText } from '../state/filters.ts'
import { ScopeProvider, readScope, useScope } from '../state/scope.tsx'
import { keyName, words } from '../words.ts'
import { sharedWords } from './shared-words.ts'

/** Of an address that cannot be read. */
const NO_RANGE = { from: '', to: '' }
const route = getRouteApi('/a/$app')
/**
 * Many may look at a view, so answers that only late events and notes can change are rarely polled, and those that
 * nothing can change never.
 */
const SETTLED_MS = 5 * 60_000

/** The page of a shared view, without the other pages of the app. */
export function SharedFrame({ shared }: { shared: OpenedLink }): ReactNode {
  const search = route.useSearch()
  const app = { ...shared.app, organization: '', retention_days: null }
  const scope = readScope(app, search, shared.today)
  const { changes } = useSession()
  const isReadable = 'range' in scope
  const isLive = isReadable && scope.live
  useEffect(() => {
    changes.settledMs = isLive ? SETTLED_MS : false
  }, [changes, isLive])
  useChanges(app.id, isReadable ? scope.range : NO_RANGE, isLive)
  return (
    <>
      <OutageBanner />
      <div className="page">
        {isReadable && (
          <ScopeProvider scope={scope}>
            <Suspense fallback={<main id="content" />}>
              <Outlet />
            </Suspense>
          </ScopeProvider>
        )}
      </div>
    </>
  )
}

/** Describes what the view is: its app, range, filters and unit, and until when it can be read. */
export function SharedBar({ shared }: { shared: OpenedLink }): ReactNode {
  const { app, range, compared, chips, robots, unit } = useScope()
  return (
    <div className="sticky" role="region" aria-label={sharedWords.sharedBy}>
      <div className="sticky-inner shared-bar" title={sharedWords.readOnly}>
        <Logo />
        <b>
          <bdi className="cut">{app.name}</bdi>
        </b>
        <span>{formatDates(range.from, range.to)}</span>
        {compared && <span>{words.bar.comparedWith(formatDates(compared.from, compared.to))}</span>}
        {chips.map((chip) => (
          <span key={chipText(chip)} className="chip locked">
            <bdi className="cut">
              {keyName(chip.key)} {chip.not ? words.bar.isNot : words.bar.is} {chip.value}
            </bdi>
          </span>
        ))}
        {robots && <span>{words.bar.robotsShown}</span>}
        <span>{words.units[unit].name}</span>
        <span className="end hint">
          <bdi className="cut">{shared.name}</bdi> {sharedWords.until(formatInstant(app.timezone, shared.ends_at))}
        </span>
      </div>
    </div>
  )
}
