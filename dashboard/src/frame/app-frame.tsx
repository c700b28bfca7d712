import { Suspense, useEffect, type ReactNode } from 'react'
import { Link, Outlet, getRouteApi } from '@tanstack/react-router'
import type { Apps } from '@hopper/contracts'
import { SharedFrame } from '../shared/shared-frame.tsx'
import { useChanges } from '../api/changes.ts'
import { useShared } from '../api/session.tsx'
import { useReport } from '../api/use-report.ts'
import { Loading } from '../parts/states/loading.tsx'
import { ReportView } from '../parts/states/report-view.tsx'
import { ScopeProvider, readScope, type AppView, type BadParameter } from '../state/scope.tsx'
import { rememberApp } from '../state/last-app.ts'
import { withSearch, type Search } from '../state/search.ts'
import { useToday } from '../state/use-today.ts'
import { words } from '../words.ts'
import { NotFound } from './not-found.tsx'
import { OutageBanner } from './outage-banner.tsx'
import { BottomBar, SideBar } from './side-bar.tsx'

/** The range of a page that shows that its address cannot be read. */
const NO_RANGE = { from: '', to: '' }
const route = getRouteApi('/a/$app')

/** The frame around the pages of an app, or around the one that is shared. */
export function AppFrame(): ReactNode {
  const shared = useShared()
  return shared ? <SharedFrame shared={shared} /> : <MemberFrame />
}

function MemberFrame(): ReactNode {
  const { app: id } = route.useParams()
  const apps = useReport<Apps>('/api/v1/apps')
  return (
    <>
      <a className="skip" href="#content">
        {words.skip}
      </a>
      <OutageBanner />
      <ReportView report={apps} skeleton={<Alone>{<Loading />}</Alone>}>
        {({ apps: all }) => {
          const app = all.find((one) => one.id === id)
          return app ? <Inside key={app.id} apps={all} app={app} /> : <NoApp id={id} apps={all} />
        }}
      </ReportView>
    </>
  )
}

function Inside({ apps, app }: { apps: readonly AppView[]; app: AppView }): ReactNode {
  const search = route.useSearch()
  const today = useToday(app.timezone)
  useEffect(() => rememberApp(app.id), [app.id])
  const scope = readScope(app, search, today)
  const isLive = 'range' in scope && scope.live
  useChanges(app.id, 'range' in scope ? scope.range : NO_RANGE, isLive)
  return (
    <div className="frame">
      <SideBar apps={apps} app={app} />
      <div className="page">
        {'range' in scope ? (
          <ScopeProvider scope={scope}>
            <Suspense fallback={<main id="content" />}>
              <Outlet />
            </Suspense>
          </ScopeProvider>
        ) : (
          <main id="content" tabIndex={-1}>
            <UnreadableAddress bad={scope} />
          </main>
        )}
      </div>
      <BottomBar app={app} />
    </div>
  )
}

function UnreadableAddress({ bad: { name, text } }: { bad: BadParameter }): ReactNode {
  const { badRange, badCompare, badFilter, dropIt } = words.problems
  const title = { range: badRange, vs: badCompare, f: badFilter }[name](text)
  const without = (before: Search): Search =>
    withSearch(before, name === 'f' ? { f: before.f?.filter((one) => one !== text) } : { [name]: undefined })
  return (
    <NotFound title={title}>
      <Link to="." search={without}>
        {dropIt}
      </Link>
    </NotFound>
  )
}

function NoApp({ id, apps }: { id: string; apps: readonly AppView[] }): ReactNode {
  return (
    <Alone>
      <NotFound title={words.problems.noApp(id)}>
        {apps.map((app) => (
          <a key={app.id} href={`/a/${encodeURIComponent(app.id)}/overview`}>
            <bdi>{app.name}</bdi>
          </a>
        ))}
      </NotFound>
    </Alone>
  )
}

function Alone({ children }: { children: ReactNode }): ReactNode {
  return (
    <main id="content" className="alone" tabIndex={-1}>
      {children}
    </main>
  )
}
