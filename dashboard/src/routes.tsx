import type { ReactNode } from 'react'
import {
  Link,
  Outlet,
  createRootRoute,
  createRoute,
  createMemoryHistory,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import type { Apps } from '@hopper/contracts'
import { useReport } from './api/use-report.ts'
import { AppFrame } from './frame/app-frame.tsx'
import { NotFound } from './frame/not-found.tsx'
import { PageFrame } from './frame/page-frame.tsx'
import { Redirect } from './frame/redirect.tsx'
import { ReportView } from './parts/states/report-view.tsx'
import { firstApp } from './state/last-app.ts'
import { formatQuery, parseQuery, readSearch } from './state/search.ts'
import { words } from './words.ts'

const root = createRootRoute({ component: Outlet, notFoundComponent: NoPage })
const home = createRoute({ getParentRoute: () => root, path: '/', component: ToFirstApp })
const app = createRoute({
  getParentRoute: () => root,
  path: '/a/$app',
  validateSearch: readSearch,
  component: AppFrame,
  notFoundComponent: NoPage,
})
const appHome = createRoute({
  getParentRoute: () => app,
  path: '/',
  beforeLoad: ({ params }) => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router expects a redirect to be thrown
    throw redirect({ to: '/a/$app/overview', params, replace: true })
  },
})
const overview = createRoute({
  getParentRoute: () => app,
  path: '/overview',
  component: lazyRouteComponent(() => import('./pages/overview/overview-page.tsx')),
})
const connect = createRoute({
  getParentRoute: () => app,
  path: '/connect',
  component: lazyRouteComponent(() => import('./pages/connect/connect-page.tsx')),
})
const funnels = createRoute({
  getParentRoute: () => app,
  path: '/funnels',
  component: lazyRouteComponent(() => import('./pages/funnels/funnels-page.tsx')),
})
const funnel = createRoute({
  getParentRoute: () => app,
  path: '/funnels/$funnel',
  component: lazyRouteComponent(() => import('./pages/funnels/funnel-page.tsx')),
})
const newFunnel = createRoute({
  getParentRoute: () => app,
  path: '/new-funnel',
  component: lazyRouteComponent(() => import('./pages/funnels/editor/editor-page.tsx')),
})
const editFunnel = createRoute({
  getParentRoute: () => app,
  path: '/funnels/$funnel/edit',
  component: lazyRouteComponent(() => import('./pages/funnels/editor/editor-page.tsx')),
})
const journeys = createRoute({
  getParentRoute: () => app,
  path: '/journeys',
  component: lazyRouteComponent(() => import('./pages/journeys/journeys-page.tsx')),
})
const elements = createRoute({
  getParentRoute: () => app,
  path: '/elements',
  component: lazyRouteComponent(() => import('./pages/elements/elements-page.tsx')),
})
const explore = createRoute({
  getParentRoute: () => app,
  path: '/explore',
  component: lazyRouteComponent(() => import('./pages/explore/explore-page.tsx')),
})
const people = createRoute({
  getParentRoute: () => app,
  path: '/people',
  component: lazyRouteComponent(() => import('./pages/people/people-page.tsx')),
})
const person = createRoute({
  getParentRoute: () => app,
  path: '/people/$person',
  component: lazyRouteComponent(() => import('./pages/people/person-page.tsx')),
})
const live = createRoute({
  getParentRoute: () => app,
  path: '/live',
  component: lazyRouteComponent(() => import('./pages/live/live-page.tsx')),
})
const alerts = createRoute({
  getParentRoute: () => app,
  path: '/alerts',
  component: lazyRouteComponent(() => import('./pages/alerts/alerts-page.tsx')),
})
const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings/settings-page.tsx')),
})
const account = createRoute({
  getParentRoute: () => app,
  path: '/account',
  component: lazyRouteComponent(() => import('./pages/account/account-page.tsx')),
})
const system = createRoute({
  getParentRoute: () => app,
  path: '/system',
  component: lazyRouteComponent(() => import('./pages/system/system-page.tsx')),
})

const options = {
  routeTree: root.addChildren([
    home,
    app.addChildren([
      appHome,
      overview,
      connect,
      funnels,
      funnel,
      newFunnel,
      editFunnel,
      journeys,
      elements,
      explore,
      people,
      person,
      live,
      alerts,
      settings,
      account,
      system,
    ]),
  ]),
  parseSearch: parseQuery,
  stringifySearch: formatQuery,
  defaultPreload: 'intent' as const,
  scrollRestoration: true,
}

/** The addresses of the dashboard. Each page of an app is a child of `app` and is loaded when it is opened. */
export const router = createRouter(options)

/** Shows one page of an app whatever the browser's address is. */
export function sharedRouter(address: string): typeof router {
  return createRouter({ ...options, history: createMemoryHistory({ initialEntries: [address] }) })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** Redirects to the app that was opened last. */
function ToFirstApp(): ReactNode {
  const apps = useReport<Apps>('/api/v1/apps')
  return (
    <ReportView report={apps}>
      {({ apps: all }) => {
        const first = firstApp(all)
        return first ? (
          <Redirect to="/a/$app/overview" params={{ app: first.id }} />
        ) : (
          <main id="content" className="alone">
            <NotFound title={words.problems.noApps} />
          </main>
        )
      }}
    </ReportView>
  )
}

function NoPage(): ReactNode {
  return (
    <PageFrame>
      <NotFound title={words.problems.noPage} hint={words.problems.noPageHint}>
        <Link to="/">{words.problems.toOverview}</Link>
      </NotFound>
    </PageFrame>
  )
}
